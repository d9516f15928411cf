/** Which modules a run of vbuild loads, as Node's own hooks see them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkout, type Ended, type RunOptions, runProgram } from './vbuild.ts';

export interface Loads extends Ended {
  /** Files of src, relative to it. */
  readonly sources: readonly string[];
  /** Names of packages below node_modules. */
  readonly packages: readonly string[];
}

/** Runs vbuild, always that of the checkout, and lists what it loaded. @param options.home Takes the list of modules as well. */
export async function runAndListLoads(args: readonly string[], options: RunOptions): Promise<Loads> {
  const list = join(options.home, `loads-${Date.now()}`);
  const hook = pathToFileURL(join(checkout, 'test/support/trace-loads.mjs')).href;
  const ended = await runProgram([join(checkout, 'bin/vbuild'), ...args], {
    ...options,
    env: { ...options.env, NODE_OPTIONS: `--import ${hook}`, TRACE_LOADS: list },
  });
  const urls = existsSync(list) ? readFileSync(list, 'utf8').split('\n') : [];
  const source = pathToFileURL(join(checkout, 'src/')).href;
  return {
    ...ended,
    sources: urls.filter((url) => url.startsWith(source)).map((url) => url.slice(source.length)),
    packages: [
      ...new Set(urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [])),
    ].sort(),
  };
}
