/** Small packages compiled with the real compiler, as a recipe would stage them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { paddedRoot } from '../../src/artifact/build-root.ts';
import { type Elf, readElf } from '../../src/artifact/elf.ts';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { pack, type PackRequest } from '../../src/artifact/pack.ts';
import { type ContentKey, digestOf } from '../../src/model/digest.ts';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import { run } from '../../src/system/process.ts';

export const searchPath = '/usr/local/bin:/usr/bin:/bin';

/** A temporary folder with one build root in it. */
export function buildPlace(label = 'build') {
  const folder = temporaryFolder('vbuild-test');
  const root = paddedRoot(join(folder.path, label));
  const [prefix, stage, tree] = [join(root, 'prefix'), join(root, 'stage'), join(root, 'tree')];
  for (const path of [prefix, stage, tree]) mkdirSync(path, { recursive: true });
  return {
    top: folder.path,
    root,
    prefix,
    stage,
    tree,
    staged: stage + prefix,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
export type BuildPlace = ReturnType<typeof buildPlace>;

/** Writes files by path: text, `-> target` for a symlink; executable where the text begins with `#!`. */
export function put(top: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(top, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), full);
    else {
      writeFileSync(full, content);
      chmodSync(full, content.toString('latin1', 0, 2) === '#!' || String(content).startsWith('#!') ? 0o755 : 0o644);
    }
  }
}

/** Runs a program to success and returns what it wrote to stdout. */
export async function must(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { exitStatus, stdout, stderr, failure } = await run({
    argv,
    cwd,
    env: { PATH: searchPath, LC_ALL: 'C', ...env },
  });
  assert.equal(exitStatus, 0, `${argv.join(' ')}: ${failure ?? ''}${stdout}${stderr}`);
  return stdout;
}

/** Compiles C from stdin text; `output` is absolute, its folder is made. */
export async function cc(output: string, source: string, flags: readonly string[] = []): Promise<void> {
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.c`, source);
  await must(['gcc', '-O1', '-o', output, `${output}.c`, ...flags], dirname(output));
  await must(['rm', `${output}.c`], '/');
}

/** A library `libgreet.so.1` with a program `greet` that needs it, linked as autotools packages are. */
export async function stageGreeting(place: BuildPlace, word = 'hello'): Promise<void> {
  const lib = join(place.staged, 'lib');
  await cc(join(lib, 'libgreet.so.1.0'), `const char *greeting(void) { return "${word}"; }`, [
    '-shared',
    '-fPIC',
    '-Wl,-soname,libgreet.so.1',
    rpath(place),
  ]);
  put(lib, { 'libgreet.so.1': '-> libgreet.so.1.0', 'libgreet.so': '-> libgreet.so.1' });
  await cc(
    join(place.staged, 'bin/greet'),
    '#include <stdio.h>\nconst char *greeting(void); int main(void) { puts(greeting()); }',
    [`-L${lib}`, '-lgreet', rpath(place)],
  );
}

export const rpath = (place: BuildPlace, folder = 'lib'): string => `-Wl,-rpath,${place.prefix}/${folder}`;

export function request(place: BuildPlace, more: Partial<PackRequest> = {}): PackRequest {
  const keyText = `["package.name","${more.package?.name ?? 'greet'}"]\n`;
  const { root, prefix, stage } = place;
  return {
    root,
    prefix,
    stage,
    host: root,
    keyText,
    package: { name: 'greet', version: '1.0' },
    key: digestOf(keyText) as string as ContentKey,
    dependencies: [],
    closure: [],
    buildOnly: [],
    remove: [],
    prefixInBinaries: [],
    hostLibraries: [],
    strip: true,
    build: { startedAt: '2026-01-02T03:04:05.000Z', durationMs: 12, tools: { cc: '12.2.0' }, vbuild: '0.1.0' },
    searchPath,
    into: join(place.top, 'packed'),
    ...more,
  };
}

/** Packs, and returns every problem that it found. */
export async function problemsOf(packing: PackRequest): Promise<readonly VbuildError[]> {
  try {
    await pack(packing);
  } catch (error) {
    if (error instanceof VbuildErrors) return error.errors;
    if (error instanceof VbuildError) return [error];
    throw error;
  }
  return [];
}

export function elfOf(file: string): Elf {
  const reading = readElf(readFileSync(file));
  assert.equal(reading.kind, 'elf', file);
  return reading.kind === 'elf' ? reading.elf : assert.fail();
}

/** A manifest as a dependency's, with nothing but what is given. */
export function manifestOf(name: string, more: Partial<Manifest> = {}): Manifest {
  const keyText = `["package.name","${name}"]\n`;
  const digest = digestOf(name);
  return {
    format: 1,
    package: { name, version: '1.0' },
    key: digestOf(keyText) as string as ContentKey,
    keyText,
    body: { digest, sizeBytes: 1, unpackedBytes: 1 },
    tree: digest,
    files: [],
    dependencies: [],
    needs: { symbolVersions: {}, libraries: [] },
    provides: {},
    build: { startedAt: '2026-01-02T03:04:05.000Z', durationMs: 1, tools: {}, vbuild: '0.1.0' },
    ...more,
  };
}
