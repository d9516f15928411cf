/** Starts vbuild with Node's compile cache on: without it a TypeScript entry point costs more than all the rest of a start. Plain JavaScript, for that reason. */
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const { VBUILD_CACHE: own, XDG_CACHE_HOME: shared, HOME: home } = process.env;
const isAbsolute = (path) => path?.startsWith('/') === true;

/** The folder of the disk cache, by the same rule as in src/cache/layout.ts; undefined where that one refuses. */
const cache = own
  ? own
  : isAbsolute(shared)
    ? join(shared, 'vbuild')
    : isAbsolute(home)
      ? join(home, '.cache/vbuild')
      : undefined;
if (isAbsolute(cache)) {
  const folder = join(cache, 'compiled');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Code is run from it as it lies there, so it must be a folder that nobody else can write.
    const { uid, mode } = lstatSync(folder);
    if (uid === process.getuid() && (mode & 0o170022) === 0o040000) enableCompileCache(folder);
  } catch {
    // A start without the cache is slower and else the same.
  }
}

const sources = new URL('../src/cli.ts', import.meta.url);
await import(existsSync(sources) ? sources.href : new URL('../dist/cli.js', import.meta.url).href);
