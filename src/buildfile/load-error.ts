/** Turns whatever stopped a Buildfile from being read into an error with file and line. */
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { VbuildError, VbuildErrors, messageOf } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';
import { namesIn, readIfThere } from '../system/files.ts';
import { ownTypings, parser } from '../system/own-program.ts';
import { type RecordedFile, UnresolvedImport, indexUrl } from './hooks.ts';

interface Place {
  readonly file: string;
  readonly line?: number;
}

/**
 * @param thrown What `import()` of the Buildfile threw.
 * @param graph  The Buildfile, first, and what it had pulled in by then.
 */
export async function loadError(thrown: unknown, graph: readonly RecordedFile[]): Promise<VbuildError | VbuildErrors> {
  if (thrown instanceof VbuildErrors) return thrown;
  if (thrown instanceof UnresolvedImport) return unresolvedImport(thrown);
  const place = placeIn(thrown, graph);
  if (thrown instanceof VbuildError) return place ? thrown.at(place) : thrown;
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  if (code === 'ERR_INVALID_TYPESCRIPT_SYNTAX') return syntaxError(thrown, place);
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return unsupportedSyntax(thrown, place);
  if (code === 'ERR_IMPORT_ATTRIBUTE_MISSING') return attributeMissing(thrown, graph);
  if (code === undefined && thrown instanceof SyntaxError) {
    const absent = await absentExport(thrown, place, graph);
    if (absent) return absent;
    // An early error of the engine carries no place; one that the Buildfile's own code threw has frames in it.
    if (!place) return syntaxError(thrown, await placeOfEarlyError(graph));
  }
  const [, early] = thrown instanceof ReferenceError ? (tooEarly.exec(thrown.message) ?? []) : [];
  return new VbuildError('buildfile-invalid', 'Buildfile threw an error', {
    where: place ?? { file: graph[0]?.file ?? '' },
    facts: {
      ...sourceLine(place),
      error: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
    },
    mend:
      code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'
        ? 'keep TypeScript that is to be run outside of node_modules'
        : early === undefined
          ? 'correct the code at this line'
          : `define ${early} above this line; where it is imported, the two files import one another: put what both need into a third one`,
    cause: thrown,
  });
}

/** How V8 says it. */
const tooEarly = /^Cannot access '(.+)' before initialization$/;

function syntaxError(thrown: unknown, place: Place | undefined): VbuildError {
  return new VbuildError('buildfile-invalid', 'Buildfile is not valid TypeScript', {
    ...(place && { where: place }),
    facts: { error: messageOf(thrown), ...sourceLine(place) },
    mend: 'correct the syntax at this line',
    cause: thrown,
  });
}

function unsupportedSyntax(thrown: unknown, place: Place | undefined): VbuildError {
  return new VbuildError('buildfile-invalid', 'Buildfile uses TypeScript that is more than types', {
    ...(place && { where: place }),
    facts: { error: messageOf(thrown), ...sourceLine(place) },
    mend: 'a Buildfile is run with its types blanked out: write a union of strings for an enum, a file for a namespace, a plain field for a parameter property',
    cause: thrown,
  });
}

function unresolvedImport({ specifier, importer, cause }: UnresolvedImport): VbuildError {
  const place = { file: importer, ...lineOf(importer, specifier) };
  const detail = (expected: string, mend: string) => ({
    where: place,
    facts: { expected, found: `"${specifier}"` },
    mend,
    cause,
  });
  if (!/^(\.\.?\/|\/|file:)/.test(specifier)) {
    const meant = nearest(specifier, ['vbuild']);
    const expected = 'vbuild, a module of Node such as node:path, or a file such as ./versions.ts';
    return new VbuildError(
      'buildfile-invalid',
      'Buildfile imports an unknown package',
      detail(expected, meant ? `write "${meant}"` : 'import a file by its relative path, or leave the import out'),
    );
  }
  const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : join(dirname(importer), specifier);
  const names = namesIn(dirname(path));
  const name = basename(path);
  const completed = ['.ts', '.mts', '.js', '.mjs', '.json']
    .map((end) => name.replace(/\.[mc]?js$/, '') + end)
    .find((one) => names.includes(one));
  const meant = completed ?? (namesIn(path).includes('index.ts') ? `${name}/index.ts` : nearest(name, names));
  const written = meant && specifier.slice(0, specifier.length - name.length) + meant;
  const expected = extname(specifier) === '' ? 'the name of a file with its extension' : 'a file that exists';
  return new VbuildError(
    'buildfile-invalid',
    'Buildfile imports a file that is not there',
    detail(expected, written ? `write "${written}"` : `write ${path}, or correct the path`),
  );
}

function attributeMissing(thrown: unknown, graph: readonly RecordedFile[]): VbuildError {
  const data = graph.find(({ file }) => file.endsWith('.json'));
  const importer = data?.importer ?? graph[0]?.file ?? '';
  return new VbuildError('buildfile-invalid', 'Import of JSON does not say that it is JSON', {
    where: { file: importer, ...(data?.specifier !== undefined && lineOf(importer, data.specifier)) },
    facts: { expected: `import … from '${data?.specifier}' with { type: 'json' }` },
    mend: `add with { type: 'json' } to the import`,
    cause: thrown,
  });
}

/** An imported name that the module does not export: a type imported as a value, or a misspelt one. */
async function absentExport(
  thrown: SyntaxError,
  place: Place | undefined,
  graph: readonly RecordedFile[],
): Promise<VbuildError | undefined> {
  // V8 gives this error no code; where its words are others, the error stays a plain syntax error.
  const [, specifier, name] =
    /^The requested module '(.+)' does not provide an export named '(.+)'$/.exec(thrown.message) ?? [];
  if (specifier === undefined || name === undefined || place === undefined) return undefined;
  const own = specifier === 'vbuild';
  const file = graph.find((one) => one.importer === place.file && one.specifier === specifier)?.file;
  const text = own ? ownTypings() : file === undefined ? '' : (readIfThere(file) ?? '');
  if (exportsType(text, name)) {
    return new VbuildError('buildfile-invalid', 'A type is imported as if it were a value', {
      where: place,
      facts: { expected: `import { type ${name} } from '${specifier}'`, found: name },
      mend: `write type before ${name}: types are blanked out before a Buildfile is run`,
      cause: thrown,
    });
  }
  const values = own
    ? Object.keys((await import(indexUrl)) as object)
    : [...text.matchAll(/^export (?:async )?(?:const|let|function\*?|class) ([\w$]+)/gm)].map(
        (match) => match[1] ?? '',
      );
  const meant = nearest(name, values);
  return new VbuildError('buildfile-invalid', 'An imported name is not exported', {
    where: place,
    facts: { expected: own ? values.join(', ') : `a name that ${specifier} exports`, found: name },
    mend: meant ? `write ${meant}` : `import a name that ${specifier} exports`,
    cause: thrown,
  });
}

function exportsType(text: string, name: string): boolean {
  const declared = new RegExp(`^export (?:declare )?(?:interface|type) ${name}\\b`, 'm');
  const listed = new RegExp(`^export (?:type \\{[^}]*\\b${name}\\b|\\{[^}]*\\btype ${name}\\b)`, 'm');
  return /^\w+$/.test(name) && (declared.test(text) || listed.test(text));
}

/** The first place in a stack that lies in one of the files: the head line of a syntax error, or the innermost frame. */
function placeIn(thrown: unknown, graph: readonly RecordedFile[]): Place | undefined {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return undefined;
  const places = graph.flatMap(({ file }) => {
    const spellings = [pathToFileURL(file).href, file].map((path) => RegExp.escape(path)).join('|');
    return { file, spelling: new RegExp(`(?:^|[\\s(])(?:${spellings}):(\\d+)`) };
  });
  // The message is the author's own text, and may name files too.
  for (const line of thrown.stack.replace(thrown.message, () => '').split('\n')) {
    for (const { file, spelling } of places) {
      const [, number] = spelling.exec(line) ?? [];
      if (number !== undefined) return { file, line: Number(number) };
    }
  }
  return undefined;
}

/** Asks a second process to parse each file, because only an error that ends a process shows its line. */
async function placeOfEarlyError(graph: readonly RecordedFile[]): Promise<Place | undefined> {
  const { run } = await import('../system/process.ts');
  for (const { file } of graph) {
    const text = /\.m?[jt]s$/.test(file) ? readIfThere(file) : undefined;
    if (text === undefined) continue;
    const input = file.endsWith('ts') ? stripTypeScriptTypes(text) : text;
    const checked = await run({ ...parser(), cwd: dirname(file), input });
    const [, line] = /^(?:\S+\/)?\[stdin\]:(\d+)/.exec(checked.stderr) ?? [];
    if (line !== undefined) return { file, line: Number(line) };
  }
  return graph[0] && { file: graph[0].file };
}

function lineOf(file: string, specifier: string): { line?: number } {
  const lines = (readIfThere(file) ?? '').split('\n');
  const at = lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`));
  return at < 0 ? {} : { line: at + 1 };
}

function sourceLine(place: Place | undefined): { found?: string } {
  const text = place?.line === undefined ? undefined : readIfThere(place.file)?.split('\n')[place.line - 1]?.trim();
  return text ? { found: text } : {};
}
