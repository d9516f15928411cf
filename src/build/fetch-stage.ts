/** The fetch stage: a package's pristine tree, exactly as it is pinned. */
import { join } from 'node:path';
import { type Package, packageId } from '../buildfile/package.ts';
import { type LockedSource, notedSpec, pinnedFor } from '../buildfile/pins.ts';
import { VbuildError } from '../model/error.ts';
import type { FetchedTree } from '../cache/tree-fetch.ts';
import type { BuildEvent } from '../model/event.ts';
import { type Digest, digestOf } from '../model/digest.ts';
import { sourceKind } from '../sources/index.ts';
import type { FetchTarget, Pin, SourceContext, Turn } from '../sources/source.ts';
import { readStamp } from '../stamps/stamp.ts';
import { emptyFolder, makeFolder, moveIntoPlace, removeTree, walk } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import { fetchedName, leftTree, takeLeftTree } from './fetch-once.ts';
import { lockInCache } from './key-lock.ts';
import { type Run, runStage } from './run.ts';
import { fetchInputs, fetchReasons } from './verdicts.ts';
import { placesOf } from './workspace.ts';

function contextFor(one: Package, run: Run): SourceContext {
  const state = placesOf(run.workspace, one).fetchState;
  makeFolder(state);
  return {
    package: packageId(one),
    version: one.version,
    buildfileFolder: run.workspace.folder,
    blobs: run.disk.blobs,
    findBlob: async (digest) => {
      const fetched = await run.cache.fetchBlob({ digest }, run.signal);
      return fetched.outcome === 'done' ? fetched.path : undefined;
    },
    alone: (name, work) => alone(name, work, one, run),
    mirrors: run.mirrors,
    environment: run.environment,
    state,
    offline: run.options.offline,
    emit: run.emit,
    signal: run.signal,
  };
}

/** Without locks the worst is that two bring the same. */
async function alone<Result>(
  name: string,
  work: (turn: Turn) => Promise<Result>,
  one: Package,
  run: Run,
): Promise<Result> {
  await using lock = await lockInCache(`fetch.${digestOf(name).slice(0, 32)}`, run, {
    code: 'waiting-for-source',
    headline: 'Another vbuild brings this source, waiting for it',
    package: packageId(one),
  });
  return await work(lock);
}

/** What a source stands for now, and nothing fetched that resolving does not need. @throws {VbuildError} */
async function resolveSource(one: Package, run: Run): Promise<Pin> {
  try {
    return await sourceKind(one.source).resolve(one.source, contextFor(one, run));
  } catch (thrown) {
    if (thrown instanceof VbuildError) throw thrown.at({ package: packageId(one), stage: 'fetch' });
    throw thrown;
  }
}

/**
 * Makes the pristine tree be there, and says what it is.
 *
 * @param locked The pin to insist on; without one, or with one made for another source, the source is resolved now.
 * @returns What belongs in the lock file: equal to `locked` whenever that still holds.
 * @throws {VbuildError} `pin-mismatch` when what was fetched is not what was pinned.
 */
export async function ensureSource(one: Package, locked: LockedSource | undefined, run: Run): Promise<LockedSource> {
  const places = placesOf(run.workspace, one);
  const pinned = pinnedFor(locked, one.source) ? locked : undefined;
  const pin = pinned?.pin ?? (await resolveSource(one, run));
  const inputs = fetchInputs(one, pin);
  const stamp = readStamp(places.stamps, 'fetch');
  const reasons = fetchReasons(inputs, pinned, places);
  if (stamp !== undefined && reasons.length === 0) return lockedSource(one, pin, stamp.results);
  const fill = async (turn?: Turn) => {
    const incoming = `${places.source}.incoming`;
    for (const folder of [incoming, places.source, places.series]) removeTree(folder);
    const target = { tree: join(incoming, 'tree'), series: join(incoming, 'series') };
    makeFolder(target.tree);
    makeFolder(target.series);
    const from = takeLeftTree(turn?.left, target.tree) ?? (await fillTree(one, pin, pinned, target, run));
    const tree = treeDigest(target.tree);
    const series = walk(target.series).length > 0 ? treeDigest(target.series) : undefined;
    insist('tree', pinned?.tree, tree);
    insist('series', pinned?.series, series);
    moveIntoPlace(target.tree, places.source);
    if (series !== undefined) moveIntoPlace(target.series, places.series);
    removeTree(incoming);
    turn?.leave(leftTree(tree, places.source));
    const detail = `${describePin(pin)}${from === undefined ? '' : ` from ${from}`}`;
    return { results: { tree, ...(series !== undefined && { series }) }, detail, lines: originLines(one, pin) };
  };
  // Archives are brought once each; what lies on this disk anyway is not brought.
  const isArchive = pin.files !== undefined || sourceKind(one.source).current !== undefined;
  const name = fetchedName(one.source, pin, pinned?.tree, run.workspace.folder);
  const { results } = await runStage(run, one, { stage: 'fetch', reasons, inputs }, () =>
    isArchive ? fill() : alone(name, fill, one, run),
  );
  return lockedSource(one, pin, results);

  function insist(what: string, expected: Digest | undefined, found: Digest | undefined): void {
    if (pinned === undefined || expected === found) return;
    throw new VbuildError('pin-mismatch', `Fetched ${what} is not the pinned one`, {
      facts: { expected: expected ?? 'none', found: found ?? 'none', source: describePin(pin) },
      mend: `find out why upstream changed it; if that is right, pin it anew with vbuild update ${one.name}`,
    });
  }
}

/**
 * Archives are sought in the caches by their digests before upstream is asked; a tree that has none is, too, once it turns out that bringing it
 * takes the network. A tree that others had packed there is the last resort for archives.
 *
 * @param pinned Undefined while it is being pinned.
 * @returns The name of the cache that had the tree, if it came from one.
 */
async function fillTree(
  one: Package,
  pin: Pin,
  pinned: LockedSource | undefined,
  target: FetchTarget,
  run: Run,
): Promise<string | undefined> {
  const kind = sourceKind(one.source);
  const context = contextFor(one, run);
  const tree = pinned?.tree;
  if (pin.files !== undefined) {
    try {
      await fetchArchives(one, pin, tree, target, context);
      return undefined;
    } catch (thrown) {
      // A series of upstream's own is no part of the tree.
      if (!(thrown instanceof VbuildError) || tree === undefined || pinned?.series !== undefined) throw thrown;
      const tier = await treeFromCaches(one, tree, target, run);
      if (tier === undefined) throw thrown;
      run.emit({
        type: 'notice',
        level: 'warning',
        code: thrown.code,
        headline: 'Upstream does not have the source any more; a cache has it',
        package: packageId(one),
        facts: { ...thrown.facts, cache: tier },
      });
      return tier;
    }
  }
  if (tree === undefined || kind.current !== undefined) {
    await kind.fetch(one.source, pin, target, context);
    return undefined;
  }
  const events: BuildEvent[] = [];
  try {
    await kind.fetch(one.source, pin, target, { ...context, offline: true, emit: (event) => void events.push(event) });
    for (const event of events) run.emit(event);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof VbuildError) || run.signal.aborted) throw thrown;
    const tier = await treeFromCaches(one, tree, target, run);
    if (tier !== undefined) return tier;
    if (run.options.offline) throw thrown;
  }
  await kind.fetch(one.source, pin, target, context);
  return undefined;
}

/** Where upstream offers other archives than the pinned ones, what is in them decides. @throws {VbuildError} */
async function fetchArchives(
  one: Package,
  pin: Pin,
  tree: Digest | undefined,
  target: FetchTarget,
  context: SourceContext,
): Promise<void> {
  const kind = sourceKind(one.source);
  try {
    await kind.fetch(one.source, pin, target, context);
  } catch (thrown) {
    if (!(thrown instanceof VbuildError) || thrown.code !== 'pin-mismatch' || tree === undefined) throw thrown;
    const { takeRepacked } = await import('./repacked.ts');
    await takeRepacked({ source: one.source, pin, tree, target, mismatch: thrown }, context);
  }
}

/** @returns The name of the cache that had it; the folder is empty when none had. */
async function treeFromCaches(one: Package, tree: Digest, target: FetchTarget, run: Run): Promise<string | undefined> {
  run.signal.throwIfAborted();
  emptyFolder(target.tree);
  const found = await run.cache.fetchTree(tree, target.tree, run.signal);
  if (found.outcome === 'done') return found.tier;
  warnOfRejected(one, found.lacks, run);
  return undefined;
}

function warnOfRejected(one: Package, lacks: Extract<FetchedTree, { outcome: 'lacking' }>['lacks'], run: Run): void {
  for (const [tier, lack] of lacks)
    if (lack.outcome === 'rejected')
      run.emit({
        type: 'notice',
        level: 'warning',
        code: 'source-rejected',
        headline: 'Source in a cache cannot be used',
        package: packageId(one),
        facts: { cache: tier, reason: lack.reason },
      });
}

function lockedSource(one: Package, pin: Pin, results: Readonly<Record<string, string>>): LockedSource {
  const { tree, series } = results;
  return {
    spec: notedSpec(one.source),
    pin,
    tree: tree as Digest,
    ...(series !== undefined && { series: series as Digest }),
  };
}

/** Where it comes from; without what a cache or a mirror had to do with it. */
function originLines(one: Package, pin: Pin): string[] {
  const { repository, archives = [], purl } = sourceKind(one.source).origin(one.source, pin, '');
  return [
    ...(repository === undefined ? [] : [repository]),
    ...archives.map(({ name, digest, url = purl ?? '' }) => `${name}  sha256 ${digest}  ${url}`.trimEnd()),
  ];
}

/** A pin in a few words: the commit, or the archives. */
export const describePin = ({ kind, commit, version, files }: Pin): string =>
  [kind, version, commit?.slice(0, 12), ...(files ?? []).map(({ name }) => name)]
    .filter((part) => part !== undefined)
    .join(' ');
