/** Runs of vbuild that are killed: at a named change to the file system, or after a while. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type EventsOf, insistOnSuccess } from './events.ts';
import type { Project } from './project.ts';
import { removeTree, tempDir } from './temp.ts';
import { pathsOf, resultOf, temporariesIn, tinyChain, type TinyPackage, tinyProject, writeTiny } from './tiny.ts';
import { checkout, type Ended, startProgram, vbuildBin, type Workspace } from './vbuild.ts';

/** Where Node keeps compiled code for all runs here: else each project would have to make its own, which costs more than the build. */
const compiled = tempDir({ after: (callback) => process.on('exit', () => void callback()) });

const hook = pathToFileURL(join(checkout, 'test/support/kill-points.mjs')).href;
const preload = (site: Workspace, more: Readonly<Record<string, string>>): Record<string, string> => ({
  NODE_OPTIONS: `--import ${hook}`,
  NODE_COMPILE_CACHE: compiled,
  KILL_ROOT: join(site.path, '../'),
  ...more,
});

/** A kill point: the Nth change of this name. */
export interface KillPoint {
  readonly name: string;
  readonly count: number;
}

/** What is done to a project before the run that is killed; the state that it is in then. */
export interface Situation {
  readonly name: string;
  readonly before: readonly TinyPackage[] | undefined;
  readonly now: readonly TinyPackage[];
}

const withOne = (change: Partial<TinyPackage>): readonly TinyPackage[] =>
  tinyChain.map((one) => (one.name === 'one' ? { ...one, ...change } : one));

export const situations: readonly Situation[] = [
  { name: 'a first build', before: undefined, now: tinyChain },
  { name: 'a build after the change of a patch', before: tinyChain, now: withOne({ patched: 'autre' }) },
  { name: 'a build in which a dependency comes out equal', before: tinyChain, now: withOne({ unsaid: 'more' }) },
];

/** A fresh project in that situation. @param top An empty folder. */
export async function projectIn(top: string, { before, now }: Situation): Promise<Project> {
  const bare = tinyProject(top, before ?? now);
  const site: Project = {
    ...bare,
    run: (args, options = {}) => bare.run(args, { ...options, env: { NODE_COMPILE_CACHE: compiled, ...options.env } }),
  };
  if (before !== undefined) {
    insistOnSuccess(await site.run([]));
    writeTiny(site.path, now);
  }
  return site;
}

/** Every point that a run of a situation comes to, in their order. */
export const pointsOf = async (top: string, situation: Situation): Promise<KillPoint[]> =>
  pointsIn(await projectIn(top, situation), ['-j1']);

/** Every point that a command comes to, in their order; it must succeed. */
export async function pointsIn(site: Workspace, args: readonly string[]): Promise<KillPoint[]> {
  const trace = join(site.home, '../trace');
  const { exitStatus, stdout, stderr } = await site.run(args, { env: preload(site, { KILL_TRACE: trace }) });
  assert.equal(exitStatus, 0, stdout + stderr);
  const counts = new Map<string, number>();
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return { name, count: counts.get(name) ?? 1 };
    });
}

export const runKilledAt = (site: Workspace, { name, count }: KillPoint, args = ['-j1']): Promise<Ended> =>
  site.run(args, { env: preload(site, { KILL_AT: `${count} ${name}` }) });

/** Of what is done to every package in the same way, one package is enough here; each has its turn. */
export function sample(points: readonly KillPoint[]): KillPoint[] {
  const names = ['one', 'two', 'three'];
  const kinds = new Map<string, KillPoint[]>();
  for (const point of points) {
    const kind = point.name.replaceAll(/\b(one|two|three)(_1)?\b/g, 'NAME');
    kinds.set(kind, [...(kinds.get(kind) ?? []), point]);
  }
  return [...kinds.values()].map((same, at) => {
    const wanted = same.filter(({ name }) => name.includes(names[at % 3] ?? ''));
    return (wanted.length > 0 ? wanted : same)[0] as KillPoint;
  });
}

/** What can become of a disk. */
export type DiskTrouble = 'ENOSPC' | 'EROFS';

/** From there on the disk is full, or takes no change any more. */
const runTroubledAt = async (site: Project, { name, count }: KillPoint, trouble: DiskTrouble): Promise<EventsOf> =>
  site.build(['-j1'], { env: preload(site, { KILL_AT: `${count} ${name}`, KILL_BY: trouble }) });

/** Such a run says what is wrong, and nothing else; where only notes for later were left to be written, nothing is. */
function insistOnDiskTrouble({ exitStatus, errors, stdout, stderr }: EventsOf): void {
  assert.ok(exitStatus === 1 || exitStatus === 0, `status ${exitStatus}: ${stdout}${stderr}`);
  assert.equal(exitStatus === 1, errors.length > 0, stdout + stderr);
  for (const { code } of errors) assert.equal(code, 'disk-trouble', stdout + stderr);
}

/** Runs a situation with a disk in trouble from each of its points on, those that are chosen: it says so, and the next run ends as if nothing had happened. */
export async function troubleAt(
  top: string,
  situation: Situation,
  trouble: DiskTrouble,
  chosen: (points: KillPoint[]) => readonly KillPoint[] = (points) => points,
): Promise<void> {
  for (const name of ['undisturbed', 'points', 'runs']) mkdirSync(join(top, name));
  const expected = await undisturbed(join(top, 'undisturbed'), situation);
  const points = chosen(await pointsOf(join(top, 'points'), situation));
  await inSituation(join(top, 'runs'), situation, points, async (site, point) => {
    const run = await runTroubledAt(site, point, trouble);
    try {
      insistOnDiskTrouble(run);
      await insistOnRecovery(site, expected);
    } catch (error) {
      throw new Error(`at ${point.count} ${point.name}`, { cause: error });
    }
  });
}

/** @returns Whether the run was still there to be killed. */
export async function runKilledAfter(site: Project, ms: number): Promise<boolean> {
  const { child, ended } = startProgram([vbuildBin], {
    cwd: site.path,
    home: site.home,
    env: { NODE_COMPILE_CACHE: compiled },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  const { signal } = await ended;
  clearTimeout(timer);
  return signal === 'SIGKILL';
}

/** What a situation ends with when nobody disturbs it. */
export async function undisturbed(top: string, situation: Situation): Promise<{ result: unknown; paths: string[] }> {
  const site = await projectIn(top, situation);
  insistOnSuccess(await site.run([]));
  return { result: resultOf(site), paths: pathsOf(site) };
}

/**
 * After a kill: the next run succeeds, ends with what an undisturbed one ends with, and leaves nothing else. One that was killed when all
 * but its trace was done leaves nothing to do, and what has nothing to do leaves no trace.
 */
export async function insistOnRecovery(
  site: Project,
  expected: Awaited<ReturnType<typeof undisturbed>>,
): Promise<void> {
  insistOnSuccess(await site.run([]));
  assert.deepEqual(resultOf(site), expected.result);
  const found = pathsOf(site);
  const traces = '.vbuild/Buildfile/traces';
  assert.deepEqual(found, found.includes(traces) ? expected.paths : expected.paths.filter((path) => path !== traces));
  for (const folder of [join(site.path, '.vendor.generations'), join(site.home, '.cache')])
    assert.deepEqual(temporariesIn(folder), []);
}

/** How many projects are worked on at once. */
const workers = 3;

/**
 * Does something to one project after another that is in a situation; each worker has a folder of its own, in which the situation is
 * restored each time from a copy.
 *
 * @throws what was thrown first, when all workers have stopped.
 */
export async function inSituation<Item>(
  top: string,
  situation: Situation,
  items: readonly Item[],
  work: (site: Project, item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async (at: number): Promise<void> => {
    const [folder, kept] = [join(top, String(at)), join(top, `${at}-kept`)];
    mkdirSync(folder);
    const site = await projectIn(folder, situation);
    cpSync(folder, kept, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    for (let item = queue.shift(); item !== undefined && failures.length === 0; item = queue.shift()) {
      await work(site, item);
      removeTree(folder);
      cpSync(kept, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    }
  };
  const noted = (at: number): Promise<void> => worker(at).catch((error: unknown) => void failures.push(error));
  await Promise.all(Array.from({ length: workers }, (_, at) => noted(at)));
  if (failures.length > 0) throw failures[0];
}

/** Kills a first build of some projects at random moments, several times in a row, and then lets it get through. @returns how many kills hit. */
export async function killAtRandom(
  t: TestContext,
  { projects, inRow }: { readonly projects: number; readonly inRow: number },
): Promise<number> {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  const top = tempDir(t);
  const [situation] = situations;
  if (situation === undefined) throw new Error('no situation');
  for (const name of ['warm', 'undisturbed', 'runs']) mkdirSync(join(top, name));
  // The very first run compiles vbuild itself, and would make all others seem short.
  await undisturbed(join(top, 'warm'), situation);
  const startedMs = performance.now();
  const expected = await undisturbed(join(top, 'undisturbed'), situation);
  const wholeMs = performance.now() - startedMs;
  // Park and Miller's minimal standard generator.
  let state = seed + 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  let kills = 0;
  await inSituation(join(top, 'runs'), situation, [...Array(projects).keys()], async (site) => {
    for (let round = 0; round < inRow; round += 1) if (await runKilledAfter(site, random() * wholeMs)) kills += 1;
    await insistOnRecovery(site, expected);
  });
  t.diagnostic(`${kills} kills`);
  return kills;
}
