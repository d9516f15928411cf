/** The example for real: PIL and its eight libraries built, found up to date, touched, patched anew and restored, beside a Makefile that does the same. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MakeBenchmarks } from './main.ts';
import type { Contestant } from './measure.ts';
import { type Shown, writeMakefile } from './pil-makefile.ts';

const checkout = resolve(import.meta.dirname, '..');
const patch = 'patches/pil/0003-mark-the-version.patch';
const parts = ['bin', 'src', 'patches', 'Buildfile.example.ts', 'package.json'];

export const pil: MakeBenchmarks = async (folder) => {
  const [project, cache, top] = ['project', 'cache', 'make'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const part of parts) cpSync(join(checkout, part), join(project, part), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(project, 'node_modules'));
  const env = { VBUILD_CACHE: cache };
  const command = [join(project, 'bin/vbuild'), 'pil', '-f', 'Buildfile.example.ts', '-j', '2'];
  const run = (argv: readonly string[], cwd: string): string =>
    execFileSync(argv[0] ?? '', argv.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
  run([...command, '-s'], project);
  const shown = run([join(project, 'bin/vbuild'), 'show', ...closure, '-f', 'Buildfile.example.ts', '--json'], project);
  writeMakefile((JSON.parse(shown) as { packages: Shown[] }).packages, {
    top,
    blobs: join(cache, 'v1/blobs'),
    project,
  });
  run(['make', '-j2'], top);
  await sleep(2500);
  run(command, project);

  const vbuild = { name: 'vbuild', argv: command, cwd: project, env };
  const make = { name: 'make -j2', argv: ['make', '-j2'], cwd: top };
  const remove = (...paths: readonly string[]): void => {
    for (const path of paths) rmSync(path, { recursive: true, force: true });
  };
  const installed = ['.vbuild', 'vendor', '.vendor.generations'].map((name) => join(project, name));
  const cleanMake = (): void => {
    remove(...['stamps', 'work', 'prefix'].map((name) => join(top, name)));
    mkdirSync(join(top, 'stamps'));
  };
  const touch = (): void => utimesSync(join(project, patch), new Date(), new Date());
  const edit = (): void => writeFileSync(join(project, patch), `Edited ${Date.now()}\n${pristine}`);
  const pristine = readFileSync(join(project, patch), 'utf8');
  const both = (prepare: () => void): Contestant[] => [
    { ...make, prepare },
    { ...vbuild, prepare },
  ];
  const what = 'PIL and its 8 libraries';
  return [
    {
      title: `${what}: up to date`,
      rounds: 21,
      contestants: [
        { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
        { ...make, name: 'make -q', argv: ['make', '-q'] },
        vbuild,
      ],
      targets: [{ of: 'vbuild', to: 'node -e 0', atMost: 1.6 }],
    },
    {
      title: `${what}: restored from the disk cache`,
      rounds: 3,
      contestants: [
        {
          name: 'tar, zstd, of nine tarballs',
          argv: ['sh', '-c', 'mkdir restored && for one in packed/*; do tar -I zstd -xf "$one" -C restored; done'],
          cwd: top,
          prepare: () => remove(join(top, 'restored')),
        },
        { ...vbuild, prepare: () => remove(...installed) },
      ],
    },
    { title: `${what}: a patch touched, not changed`, rounds: 3, contestants: both(touch) },
    { title: `${what}: a patch of PIL changed`, rounds: 3, contestants: both(edit) },
    {
      title: `${what}: a clean build`,
      rounds: 3,
      contestants: [
        { ...make, prepare: () => cleanMake() },
        {
          ...vbuild,
          prepare: () =>
            remove(...installed, ...['v1/artifacts', 'v1/equal', 'quick'].map((name) => join(cache, name))),
        },
      ],
      targets: [{ of: 'vbuild', to: 'make -j2', atMost: 1 }],
    },
  ];
};

const closure = ['zlib', 'libjpeg-turbo', 'libpng', 'freetype', 'libwebp', 'lcms2', 'tiff', 'openjpeg', 'pil'];
