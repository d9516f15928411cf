/** Builds one package two times, the second time where all is otherwise that may be otherwise without changing the result. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalRoot } from '../artifact/build-root.ts';
import type { Both, BuiltUnder } from '../artifact/causes.ts';
import type { Manifest } from '../artifact/manifest.ts';
import type { DiskCache } from '../cache/disk.ts';
import { VbuildError, VbuildErrors } from '../model/error.ts';
import { readStamp, writeStamp } from '../stamps/stamp.ts';
import { type Disguise, surroundings } from '../system/disguise.ts';
import { copyTree } from '../system/copy-tree.ts';
import { exists, makeFolder } from '../system/files.ts';
import { startJobserver } from '../system/jobserver.ts';
import type { Namespace } from '../system/namespace.ts';
import { asOtherCaller } from '../system/other-caller.ts';
import type { Artifacts } from './artifacts.ts';
import { earlierPlaces } from './build-places.ts';
import { ensureCompiled, packArtifact } from './compile-stage.ts';
import type { PackageFacts } from './facts.ts';
import { ensureSource } from './fetch-stage.ts';
import { ensurePatched } from './patch-stage.ts';
import { privateFolder } from './private-folder.ts';
import type { Run } from './run.ts';
import { fetchInputs, fetchReasons } from './verdicts.ts';
import { placesOf, type Workspace } from './workspace.ts';

/** Under what a build ran, for people and programs. */
export interface Circumstances {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** The build root, as steps saw it. */
  readonly root: string;
  readonly host: string;
  readonly user: string;
  readonly jobs: number;
  /** How many steps could use. */
  readonly processors: number;
  /** Of the caller: what vbuild itself ran with, and no step should see. */
  readonly umask: string;
  readonly locale: string;
  readonly timeZone: string;
}

export interface Built {
  readonly manifest: Manifest;
  /** Absolute path of the tree that was packed. */
  readonly tree: string;
  readonly circumstances: Circumstances;
  readonly under: BuiltUnder;
}

export interface Bench {
  readonly artifacts: Artifacts;
  /** Works in the folder `1` of `top`. */
  readonly run: Run;
  /** Takes what the first build makes, for other packages. */
  readonly made: DiskCache;
  /** Read only. */
  readonly project: Workspace;
  /** Absolute. */
  readonly top: string;
  readonly keep: boolean;
}

/** Archives note times in steps of two seconds. */
const gapMs = 2100;

const otherCaller = { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'tr', TZ: 'Asia/Kathmandu' };

/** @throws {VbuildError | VbuildErrors} what a build throws; of a second one that fails it is said that the first did not. */
export async function buildTwice(
  facts: PackageFacts,
  bench: Bench,
  { namespace, disguise }: { readonly namespace: Namespace | undefined; readonly disguise: Disguise },
): Promise<Both<Built>> {
  const { run, top, keep } = bench;
  takeSource(facts, bench.project);
  await ensureSource(facts.package, facts.source, run);
  await ensurePatched(facts, run);
  const { processors } = surroundings();
  const caller = Object.fromEntries(Object.keys(otherCaller).map((name) => [name, run.environment[name] ?? '']));
  const first = await failingAside(keep, {}, () =>
    build(facts, bench, {
      state: join(top, '1'),
      namespace,
      place: 'canonical',
      disguise: {},
      jobs: Math.max(2, run.options.jobs),
      processors: processors.length,
      caller,
    }),
  );
  await sleep(gapMs, undefined, { signal: run.signal });
  const other = { ...otherCaller, HOME: join(top, 'home'), USER: disguise.user?.name ?? 'somebody' };
  const second = await failingAside(keep, { before: 'in the usual way it was built without an error' }, async () => {
    using _caller = asOtherCaller({ ...other, LOGNAME: other.USER });
    return await build(facts, bench, {
      state: join(top, '2'),
      namespace,
      place: 'other',
      disguise,
      jobs: 1,
      processors: disguise.processor === undefined ? processors.length : 1,
      caller: other,
    });
  });
  return [first, second];
}

/** What the project has unpacked already need not be brought again. */
function takeSource({ package: one, source, places }: PackageFacts, project: Workspace): void {
  const theirs = placesOf(project, one);
  const stamp = readStamp(theirs.stamps, 'fetch');
  if (stamp === undefined || fetchReasons(fetchInputs(one, source.pin), source, theirs).length > 0) return;
  copyTree(theirs.source, places.source);
  if (exists(theirs.series)) copyTree(theirs.series, places.series);
  writeStamp(places.stamps, stamp);
}

interface Way {
  /** Absolute path of the folder for stamps and trees. */
  readonly state: string;
  readonly namespace: Namespace | undefined;
  readonly place: 'canonical' | 'other';
  readonly disguise: Disguise;
  readonly jobs: number;
  readonly processors: number;
  readonly caller: Readonly<Record<string, string>>;
}

async function build(facts: PackageFacts, { artifacts, run: usual, made }: Bench, way: Way): Promise<Built> {
  const { state, namespace, place, disguise, jobs, processors, caller } = way;
  const workspace = { ...usual.workspace, state };
  const run: Run = { ...usual, workspace, disk: made, options: { ...usual.options, jobs } };
  const places = { ...placesOf(workspace, facts.package), patched: facts.places.patched };
  const own = { ...facts, places };
  const folder = privateFolder(workspace);
  makeFolder(folder);
  using jobserver = await startJobserver(folder, jobs);
  await jobserver.take(run.signal);
  const fromMs = Date.now();
  try {
    await ensureCompiled(own, artifacts, run, { jobserver, namespace, disguise, place });
  } finally {
    jobserver.give();
  }
  const toMs = Date.now();
  const manifest = await packArtifact(own, artifacts, run);
  const at = earlierPlaces(places);
  if (at === undefined) throw new Error(`${facts.id} is not compiled`);
  const here = surroundings();
  const [host, user] = [disguise.host ?? here.host, disguise.user ?? here.user];
  const locale = caller['LC_ALL'] || caller['LANG'] || '';
  return {
    manifest,
    tree: join(places.build, 'packed', 'tree'),
    circumstances: {
      startedAt: new Date(fromMs).toISOString(),
      durationMs: toMs - fromMs,
      root: at.root,
      host,
      user: user.name,
      jobs,
      processors,
      umask: process.umask().toString(8).padStart(3, '0'),
      locale,
      timeZone: caller['TZ'] ?? '',
    },
    under: {
      fromMs,
      toMs,
      paths: [at.root, at.host, state],
      host,
      user,
      jobs: [jobs, processors],
      ...(locale !== '' && { locales: [locale] }),
    },
  };
}

/** What is known of the build that made an artifact. */
export function builtUnder({ build: { startedAt, durationMs, place } }: Manifest): BuiltUnder {
  const fromMs = Date.parse(startedAt);
  return { fromMs, toMs: fromMs + durationMs, paths: place === 'canonical' ? [canonicalRoot] : [] };
}

/** Facts of a failed step that name what is not there any more, or would build the project's own tree. */
const ofTrees = ['log', 'details', 'tree'];
const byHand = ['repeat', 'shell', 'resume'];

/** Runs a build whose errors are about what happens aside. */
async function failingAside<Result>(
  keep: boolean,
  findings: Readonly<Record<string, string>>,
  work: () => Promise<Result>,
): Promise<Result> {
  const gone = keep ? byHand : [...byHand, ...ofTrees];
  const aside = ({ code, message, where, facts, mend, cause }: VbuildError): VbuildError =>
    new VbuildError(code, message, {
      where,
      facts: { ...findings, ...Object.fromEntries(Object.entries(facts).filter(([name]) => !gone.includes(name))) },
      mend,
      cause,
    });
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof VbuildError) throw aside(thrown);
    if (thrown instanceof VbuildErrors) throw new VbuildErrors(thrown.errors.map(aside));
    throw thrown;
  }
}
