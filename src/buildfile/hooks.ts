/** Module hooks for Buildfiles: `vbuild` means the running tool, neighbouring package.json files do not matter, every import is recorded. */
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { realPath } from '../system/files.ts';

/** Thrown by the resolve hook where a Buildfile, or a file that it imports, names a module that cannot be found. */
export class UnresolvedImport extends Error {
  readonly specifier: string;
  /** Absolute path of the file that holds the import. */
  readonly importer: string;

  constructor(specifier: string, importer: string, cause: unknown) {
    super(`${specifier} cannot be imported`, { cause });
    this.specifier = specifier;
    this.importer = importer;
  }
}

/** URL of all that a Buildfile may import from vbuild: `index.ts` in a checkout, `index.js` in a published package. */
export const indexUrl = new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url).href;

/** For each recorded file what it imports, by URL, with the words of the import; kept as long as Node keeps modules: for ever. */
const imports = new Map<string, Map<string, string>>();
let registered = false;

/** Files, by URL, whose result may rest on more than the files that they import: through parts of Node, or packages that are searched for. */
const lookers = new Set<string>();
/** For each recorded file, by URL, the paths that it imports, absolute, symlinks not followed. */
const written = new Map<string, Set<string>>();
const pureModules = /^node:(assert|buffer|events|path|querystring|string_decoder|url|util)(\/|$)/;

/** Makes a file the root of a recorded graph of imports; registers the hooks on first use. */
export function recordFrom(rootUrl: string): void {
  if (!imports.has(rootUrl)) imports.set(rootUrl, new Map());
  if (registered) return;
  registered = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'vbuild') return { url: indexUrl, shortCircuit: true };
      const { parentURL } = context;
      if (imports.has(specifier)) return typescript(specifier);
      const imported = parentURL === undefined ? undefined : imports.get(parentURL);
      if (imported === undefined || parentURL === undefined) return next(specifier, context);
      try {
        const file = typescriptFile(specifier, parentURL);
        const resolved = file === undefined ? next(specifier, context) : typescript(file);
        if (resolved.url.startsWith('node:') && !pureModules.test(resolved.url)) lookers.add(parentURL);
        if (resolved.url.startsWith('file:')) {
          imported.set(resolved.url, specifier);
          if (isPath(specifier)) note(parentURL, specifier);
          else lookers.add(parentURL);
          if (!imports.has(resolved.url)) imports.set(resolved.url, new Map());
        }
        return resolved;
      } catch (error) {
        throw new UnresolvedImport(specifier, fileURLToPath(parentURL), error);
      }
    },
  });
}

function note(importer: string, specifier: string): void {
  const paths = written.get(importer) ?? new Set();
  written.set(importer, paths.add(fileURLToPath(new URL(specifier, importer))));
}

const isPath = (specifier: string): boolean => /^(\.\.?\/|\/|file:)/.test(specifier);

/** Names the format outright; without it the nearest package.json would decide what a Buildfile's TypeScript is taken for. */
const typescript = (url: string) => ({
  url,
  format: isTypescript(url) ? 'module-typescript' : undefined,
  shortCircuit: true,
});

const isTypescript = (url: string): boolean => /\.m?ts$/.test(url) && !url.includes('/node_modules/');

/** The URL of the TypeScript file that a relative import means; undefined for any other import. */
function typescriptFile(specifier: string, parentUrl: string): string | undefined {
  if (!isPath(specifier) || !isTypescript(specifier)) return undefined;
  const url = pathToFileURL(realPath(fileURLToPath(new URL(specifier, parentUrl)))).href;
  return isTypescript(url) ? url : undefined;
}

/** One file of a recorded graph; all paths absolute. */
export interface RecordedFile {
  readonly file: string;
  /** It imports modules of Node that reach the machine, such as `node:fs`, or packages by their names. */
  readonly looksAround: boolean;
  /** What it imports, symlinks not followed. */
  readonly names: readonly string[];
  /** The file that imports it first, and the words by which it does; none for the root. */
  readonly importer?: string;
  readonly specifier?: string;
}

/** A root and every file that it pulls in, each once, in the order of the imports. */
export function recordedFiles(rootUrl: string): RecordedFile[] {
  const found = new Map<string, RecordedFile>([[rootUrl, recorded(rootUrl)]]);
  // A map may grow while it is walked, so this visits each file once, cycles of imports included.
  for (const [url, { file: importer }] of found) {
    for (const [imported, specifier] of imports.get(url) ?? []) {
      if (!found.has(imported)) found.set(imported, { ...recorded(imported), importer, specifier });
    }
  }
  return [...found.values()];
}

const recorded = (url: string): RecordedFile => ({
  file: fileURLToPath(url),
  looksAround: lookers.has(url),
  names: [...(written.get(url) ?? [])],
});
