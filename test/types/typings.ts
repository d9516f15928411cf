/**
 * Makes `typings/vbuild.d.ts`, what editors know of `vbuild` where it is not installed, from `src/index.ts`: one file without imports.
 * `node test/types/typings.ts` writes it; a test fails when that was forgotten.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { toolNames } from '../../src/compile/tools.ts';

const checkout = resolve(import.meta.dirname, '../..');

/** Absolute path of the committed file. */
export const typingsPath = join(checkout, 'typings/vbuild.d.ts');

/** Types that are derived from large tables in the sources, written out. */
const writtenOut: Readonly<Record<string, string>> = {
  ToolName: `type ToolName =\n${toolNames.map((name) => `    | '${name}'`).join('\n')};`,
};

interface Declaration {
  readonly name: string;
  /** Doc comment and declaration, without `export`. */
  readonly text: string;
}

/** The text that `typings/vbuild.d.ts` should have. */
export function typings(): string {
  const folder = mkdtempSync(join(tmpdir(), 'typings-'));
  try {
    emitDeclarations(folder);
    const index = readFileSync(join(folder, 'index.d.ts'), 'utf8');
    const exported = [...index.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim()),
    );
    const declared = new Map<string, Declaration>();
    for (const one of modulesFrom(join(folder, 'index.d.ts')).flatMap(declarationsOf)) {
      if (declared.has(one.name)) throw new Error(`${one.name} is declared in two files`);
      declared.set(one.name, one);
    }
    const needed = new Set(exported);
    // A set may grow while it is walked.
    for (const name of needed) for (const word of wordsOf(declared.get(name))) if (declared.has(word)) needed.add(word);
    const lines = [...declared.values()]
      .filter(({ name }) => needed.has(name))
      .map(({ name, text }) => (exported.includes(name) ? asExported(text) : text));
    const head =
      '// biome-ignore-all format: made from src/index.ts by test/types/typings.ts\n/** All that a Buildfile may import from vbuild. */\n';
    return `${head}${lines.join('\n')}\nexport {};\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function emitDeclarations(folder: string): void {
  const options = [
    '--declaration',
    '--emitDeclarationOnly',
    '--noCheck',
    '--allowImportingTsExtensions',
    '--skipLibCheck',
  ];
  const settings = {
    outDir: folder,
    rootDir: join(checkout, 'src'),
    target: 'esnext',
    module: 'nodenext',
    types: 'node',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  execFileSync(join(checkout, 'node_modules/.bin/tsc'), ['--ignoreConfig', 'src/index.ts', ...options, ...args], {
    cwd: checkout,
    stdio: 'pipe',
  });
}

/** A declaration file and all that it imports, each once, in the order of the imports. */
function modulesFrom(top: string): string[] {
  const files = new Set([top]);
  for (const file of files) {
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/ from '(\.[^']*)\.ts';/g))
      files.add(join(dirname(file), `${path}.d.ts`));
  }
  return [...files].map((file) => readFileSync(file, 'utf8'));
}

/** The top-level declarations of what tsc wrote, where only they and their comments begin in the first column. */
function declarationsOf(module: string): Declaration[] {
  const found: Declaration[] = [];
  let comment = '';
  let body = '';
  const flush = (): void => {
    const [, name] = /^(?:export )?(?:declare )?(?:const|function|interface|type|class) (\w+)/.exec(body) ?? [];
    if (name !== undefined) {
      found.push({ name, text: comment + (writtenOut[name] ?? body.replace(/^export /, '')).trimEnd() });
    }
    comment = '';
    body = '';
  };
  for (const line of module.split('\n')) {
    const starts = /^(\/\*\*|export|declare|import|interface|type|const)/.test(line);
    if (starts && body !== '') flush();
    if (line.startsWith('/**')) comment = `${line}\n`;
    else if (body === '' && line.startsWith(' *')) comment += `${line}\n`;
    else body += `${line}\n`;
  }
  flush();
  return found;
}

const asExported = (text: string): string => text.replace(/^(?=(?:declare |interface |type ))/m, 'export ');

/** The words of a declaration, comments and literals left out. */
const wordsOf = (one: Declaration | undefined): string[] =>
  one?.text.replaceAll(/\/\*[\s\S]*?\*\/|'[^'\n]*'|"[^"\n]*"/g, ' ').match(/\w+/g) ?? [];

if (import.meta.main) writeFileSync(typingsPath, typings());
