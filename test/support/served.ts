/** A project whose artifacts lie in a cache, and a machine that has nothing but the project and the address of that cache. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkIn } from './check-in.ts';
import { insistOnSuccess } from './events.ts';
import { fileServer, type TestServer } from './http-server.ts';
import { cloneOf, type Project, project } from './project.ts';
import type { WithCleanUp } from './temp.ts';

export interface Served extends Pick<TestServer, 'seen' | 'stop'> {
  /** Where it was built. */
  readonly site: Project;
  /** Absolute path of the folder that is the cache. */
  readonly bucket: string;
  /** The other machine: its own home, the lock file, and the cache behind a web server. */
  readonly clone: Project;
}

/** A project whose leaf and branch lie in a folder behind a web server, and a clone that has nothing but the lock file. */
export async function served(t: WithCleanUp): Promise<Served> {
  const site = project(t);
  const bucket = join(site.home, 'bucket');
  mkdirSync(bucket, { recursive: true });
  const { url, seen, stop } = await fileServer(t, bucket);
  site.edit('Buildfile.ts', 'make, place, tarball', 'directoryCache, httpCache, make, place, tarball');
  const filling = `defaults: [app, lone], cache: [directoryCache(${JSON.stringify(bucket)})]`;
  site.edit('Buildfile.ts', 'defaults: [app, lone]', filling);
  insistOnSuccess(await site.run(['lock']));
  checkIn(site.path);
  insistOnSuccess(await site.build(['branch', '--push', '--no-install']));
  const clone = cloneOf(site, `${site.path}-clone`, `${site.home}-clone`);
  clone.edit('Buildfile.ts', filling, `defaults: [app, lone], cache: [httpCache('${url}')]`);
  return { site, bucket, clone, seen, stop };
}
