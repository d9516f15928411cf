/** Which of the platforms that a Buildfile accepts a run is about: one artifact may serve several releases of a distribution. */
import { currentGeneration } from '../install/generations.ts';
import { factsNow } from './facts.ts';
import { fullClosure } from './graph.ts';
import { askedFor, installingOf } from './released.ts';
import { type BuildRequest, isUpToDate } from './request.ts';
import { wanted } from './roots.ts';

/**
 * The platforms that are tried, in their order: those of the list that this host's processor and C library run, then its own.
 *
 * @param accepted As the Buildfile lists them.
 * @param own      That of this host.
 */
function platformsToTry(accepted: readonly string[], own: string): string[] {
  const [machine] = own.split(' ');
  return [...new Set([...accepted.filter((one) => one.split(' ')[0] === machine), own])];
}

/**
 * The platform whose artifacts the prefix has already, else the first one of which the caches have every artifact that is needed, fit
 * for this host; else this host's own. Reads manifests only.
 *
 * @param onDisk As `startRun` has it.
 */
export async function choosePlatform(request: BuildRequest, onDisk = true): Promise<string> {
  const { build, platform: own, options, prefix, targets } = request;
  const platforms = platformsToTry(build.platforms ?? [], own);
  if (platforms.length === 1) return own;
  const installed = platforms.find((platform) => isUpToDate({ ...request, platform }));
  if (installed !== undefined || options.noCache) return installed ?? own;
  const { packages } = wanted(
    targets,
    build.packages,
    options.noInstall ? undefined : currentGeneration(prefix)?.record,
  );
  for (const platform of platforms) if (await hasAll(packages, { ...request, platform }, onDisk)) return platform;
  return own;
}

/** The same for servers, for which the prefix of this machine counts for nothing. */
export const platformOfServers = (request: BuildRequest, onDisk: boolean): Promise<string> =>
  choosePlatform({ ...request, options: { ...request.options, noInstall: true } }, onDisk);

async function hasAll(packages: BuildRequest['targets'], request: BuildRequest, onDisk: boolean): Promise<boolean> {
  const { workspace, platform } = request;
  const facts = factsNow(fullClosure(packages), { workspace, platform });
  const asked = packages.flatMap((one) => facts.known.get(one) ?? []).map(askedFor);
  if (asked.length < packages.length) return false;
  const [{ startRun }, { foreseen }] = await Promise.all([import('./start-run.ts'), import('./foreseen.ts')]);
  // What becomes of each look-up is told once, by the run itself.
  const installing = installingOf(request.prefix, asked);
  const { run } = startRun({ ...request, emit: () => {} }, { onDisk, installing });
  const answers = await foreseen(asked, run, facts);
  return [...answers.values()].every((found) => !('answer' in found));
}
