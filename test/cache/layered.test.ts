/** The cache made of caches, with disk caches for the lower tiers: order, filling, memory and what it says when there is nothing. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import type { CacheTier, Lack } from '../../src/cache/cache.ts';
import { type DiskCache, diskCache } from '../../src/cache/disk.ts';
import { type LayeredCache, type TierAnswer, layeredCache } from '../../src/cache/layered.ts';
import { manifestObject } from '../../src/cache/layout.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import { packTarZst } from '../../src/system/archive.ts';
import { digestFile, walk } from '../../src/system/files.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { type Tree, type WithCleanUp, tempDir, writeTree } from '../support/temp.ts';
import { rawTar } from '../support/upstream.ts';
import { filesBelow, hit, never, push, sample } from './sample.ts';

interface Layers {
  readonly disk: DiskCache;
  /** Two lower tiers, `one` before `two`. */
  readonly one: DiskCache;
  readonly two: DiskCache;
  /** As a new run has it. */
  readonly cache: () => LayeredCache;
  /** Tier and outcome of each answer since the last call. */
  readonly told: () => string[];
}

function layers(t: WithCleanUp): Layers {
  const [disk, one, two] = [
    diskCache(tempDir(t)),
    { ...diskCache(tempDir(t)), name: 'one' },
    { ...diskCache(tempDir(t)), name: 'two' },
  ];
  const answers: TierAnswer[] = [];
  return {
    disk,
    one,
    two,
    cache: () => layeredCache(disk, [one, two], (answer) => answers.push(answer)),
    told: () => answers.splice(0).map(({ tier, answer }) => `${tier} ${answer.outcome}`),
  };
}

/** Packs a tree of a source into a tier, as a push does. @returns its digest, or the given one in its place. */
async function keepTree(t: WithCleanUp, tier: DiskCache, tree: Tree, claimed?: Digest): Promise<Digest> {
  const folder = tempDir(t);
  writeTree(join(folder, 'tree'), tree);
  const file = join(folder, 'packed');
  const top = join(folder, 'tree');
  const { sizeBytes } = await packTarZst({ top, paths: walk(top).map(({ path }) => path), into: file });
  const digest = await digestFile(file);
  await tier.putBlob(digest, file, never);
  const known = claimed ?? treeDigest(top);
  await tier.putTree(known, { digest, sizeBytes }, never);
  return known;
}

/** An empty folder. */
const emptyIn = (t: WithCleanUp): string => {
  const folder = join(tempDir(t), 'into');
  mkdirSync(folder);
  return folder;
};

test('a tree of a source comes from the first tier that has it whole, and from the disk the next time', async (t) => {
  const { disk, two, cache } = layers(t);
  const tree = await keepTree(t, two, { 'a/b.c': 'b\n', run: { text: '#!/bin/sh\n', mode: 0o755 } });
  const into = emptyIn(t);
  assert.deepEqual(await cache().fetchTree(tree, into, never), { outcome: 'done', tier: 'two' });
  assert.equal(treeDigest(into), tree);
  assert.equal(await disk.holdsTree(tree, never), true);
  assert.deepEqual(await cache().fetchTree(tree, emptyIn(t), never), { outcome: 'done', tier: 'disk' });
});

test('a tree that is another one, damaged or hostile is passed over with the reason, and nothing of it stays', async (t) => {
  const { disk, one, two, cache } = layers(t);
  const tree = await keepTree(t, two, { 'a.c': 'right\n' });
  await keepTree(t, disk, { 'a.c': 'other\n' }, tree);
  const hostile = join(tempDir(t), 'hostile');
  writeFileSync(hostile, zstdCompressSync(rawTar([{ name: '../out', content: 'x' }])));
  const digest = await digestFile(hostile);
  await one.putBlob(digest, hostile, never);
  await one.putTree(tree, { digest, sizeBytes: statSync(hostile).size }, never);
  const into = emptyIn(t);
  assert.deepEqual(await cache().fetchTree(tree, into, never), { outcome: 'done', tier: 'two' });
  assert.equal(treeDigest(into), tree);
  rmSync(two.blobs.pathOf((await lookedUp(two, tree)).digest));
  rmSync(disk.blobs.pathOf((await lookedUp(disk, tree)).digest));
  const empty = emptyIn(t);
  const found = await cache().fetchTree(tree, empty, never);
  assert.deepEqual(
    found.outcome === 'lacking' &&
      found.lacks.map(([tier, lack]) => `${tier} ${lack.outcome} ${'reason' in lack ? lack.reason : ''}`),
    [
      'disk rejected the packed source is not there',
      'one rejected the packed source cannot be unpacked: its name climbs with ".."',
      'two rejected the packed source is not there',
    ],
  );
  assert.deepEqual(filesBelow(empty), []);
});

async function lookedUp(tier: CacheTier, tree: Digest): Promise<{ readonly digest: Digest }> {
  const found = await tier.lookUpTree(tree, never);
  assert.ok(found.outcome === 'hit');
  return found.body;
}

/** A tier that can be asked and only ever has this to say. */
const lacking = (name: string, lack: Lack): CacheTier => ({
  ...diskCache('/nowhere'),
  name,
  lookUp: async () => lack,
  fetchBlob: async () => lack,
});

test('an artifact in a lower tier lands whole on the disk, from where the next run has it', async (t) => {
  const { disk, two, cache, told } = layers(t);
  const { manifest, file, bytes } = sample(tempDir(t), 'a');
  await push(manifest, file, two, never);
  const seen: (readonly [number, number])[] = [];
  const fetched = await cache().fetchArtifact('zlib', manifest.key, never, (...progress) => seen.push(progress));
  assert.deepEqual(fetched, {
    ...hit(manifest),
    outcome: 'done',
    tier: 'two',
    madeFrom: manifest.keyText,
  });
  assert.deepEqual(told(), ['disk absent', 'one absent', 'two hit']);
  assert.deepEqual(readFileSync(disk.blobs.pathOf(manifest.body.digest)), bytes);
  assert.deepEqual(seen.at(-1), [bytes.length, bytes.length]);
  assert.deepEqual(filesBelow(disk.folder), filesBelow(two.folder));
  assert.equal((await cache().fetchArtifact('zlib', manifest.key, never)).outcome, 'done');
  assert.deepEqual(told(), ['disk hit']);
});

test('what a run would find comes from the first tier that has the key, and nothing is fetched', async (t) => {
  const { disk, one, two, cache, told } = layers(t);
  const [first, second] = [sample(tempDir(t), 'a'), sample(tempDir(t), 'a')];
  await push(first.manifest, first.file, one, never);
  await push(second.manifest, second.file, two, never);
  assert.deepEqual(await cache().foreseeArtifact('zlib', first.manifest.key, never), {
    ...hit(first.manifest),
    outcome: 'done',
    tier: 'one',
    madeFrom: first.manifest.keyText,
  });
  assert.deepEqual(told(), ['disk absent', 'one hit']);
  assert.deepEqual(filesBelow(disk.folder), []);
});

test('what a lower tier said is remembered for the run and forgotten for the next, while the disk is asked each time', async (t) => {
  const { disk, two, cache, told } = layers(t);
  const { manifest, file } = sample(tempDir(t), 'a');
  const run = cache();
  assert.deepEqual(await run.foreseeArtifact('zlib', manifest.key, never), { outcome: 'absent' });
  assert.deepEqual(told(), ['disk absent', 'one absent', 'two absent']);
  await push(manifest, file, two, never);
  assert.deepEqual(await run.foreseeArtifact('zlib', manifest.key, never), { outcome: 'absent' });
  assert.deepEqual(told(), ['disk absent']);
  assert.equal((await cache().foreseeArtifact('zlib', manifest.key, never)).outcome, 'done');
  await push(manifest, file, disk, never);
  assert.equal((await run.foreseeArtifact('zlib', manifest.key, never)).outcome, 'done');
});

test('a damaged body in one tier is told, and the next tier serves', async (t) => {
  const { one, two, cache, told } = layers(t);
  const { manifest, file, bytes } = sample(tempDir(t), 'a');
  for (const tier of [one, two]) await push(manifest, file, tier, never);
  const path = one.blobs.pathOf(manifest.body.digest);
  writeFileSync(path, Buffer.alloc(bytes.length));
  const fetched = await cache().fetchArtifact('zlib', manifest.key, never);
  assert.equal(fetched.outcome, 'done');
  assert.equal(fetched.tier, 'two');
  assert.deepEqual(told(), ['disk absent', 'one hit', 'one rejected', 'two hit']);
});

test('a tier that damages every body is not asked for bodies on and on', async (t) => {
  const { disk, one } = layers(t);
  let asked = 0;
  const line: CacheTier = {
    ...one,
    fetchBlob: async ({ digest }) => {
      asked += 1;
      return digest === sound ? { outcome: 'done' } : { outcome: 'rejected', reason: 'its SHA-256 is another one' };
    },
  };
  const bodies = ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => digestOf(text));
  const sound = bodies[2];
  const cache = layeredCache({ ...disk, blobs: { ...disk.blobs, add: (file) => file } }, [line]);
  const outcomes: string[] = [];
  for (const digest of bodies) outcomes.push((await cache.fetchBlob({ digest }, never)).outcome);
  assert.deepEqual(outcomes, ['rejected', 'rejected', 'done', 'rejected', 'rejected', 'rejected']);
  assert.equal(asked, 6);
  assert.deepEqual(await cache.fetchBlob({ digest: digestOf('g') }, never), {
    outcome: 'rejected',
    reason: 'one: 3 bodies one after the other came damaged',
  });
  assert.equal(asked, 6);
});

test('a damaged body on the disk is set aside and fetched anew', async (t) => {
  const { disk, one, cache, told } = layers(t);
  const { manifest, file, bytes } = sample(tempDir(t), 'a');
  for (const tier of [disk, one]) await push(manifest, file, tier, never);
  writeFileSync(disk.blobs.pathOf(manifest.body.digest), Buffer.alloc(bytes.length));
  const fetched = await cache().fetchArtifact('zlib', manifest.key, never);
  assert.deepEqual(told(), ['disk hit', 'disk rejected', 'one hit']);
  assert.equal(fetched.outcome, 'done');
  assert.deepEqual(readFileSync(disk.blobs.pathOf(manifest.body.digest)), bytes);
  assert.ok(disk.has('zlib', manifest.key));
});

test('a manifest without its body below is rejected, and nothing lands on the disk', async (t) => {
  const { disk, one } = layers(t);
  const { manifest, file } = sample(tempDir(t), 'a');
  await push(manifest, file, one, never);
  const tier = { ...one, lookUp: async () => hit(manifest) };
  rmSync(one.blobs.pathOf(manifest.body.digest));
  const fetched = await layeredCache(disk, [tier]).fetchArtifact('zlib', manifest.key, never);
  assert.deepEqual(fetched, { outcome: 'rejected', reason: `one: its body ${manifest.body.digest} is not there` });
  assert.deepEqual(filesBelow(disk.folder), []);
});

const verdicts: readonly { readonly name: string; readonly lacks: readonly Lack[]; readonly expected: Lack }[] = [
  {
    name: 'absent when all say so',
    lacks: [{ outcome: 'absent' }, { outcome: 'absent' }],
    expected: { outcome: 'absent' },
  },
  {
    name: 'unreachable before absent',
    lacks: [{ outcome: 'unreachable', reason: 'down' }, { outcome: 'absent' }],
    expected: { outcome: 'unreachable', reason: 'tier 0: down' },
  },
  {
    name: 'rejected before unreachable',
    lacks: [
      { outcome: 'unreachable', reason: 'down' },
      { outcome: 'rejected', reason: 'forged' },
    ],
    expected: { outcome: 'rejected', reason: 'tier 1: forged' },
  },
  {
    name: 'every reason of the kind',
    lacks: [
      { outcome: 'unreachable', reason: 'down' },
      { outcome: 'unreachable', reason: 'away' },
    ],
    expected: { outcome: 'unreachable', reason: 'tier 0: down; tier 1: away' },
  },
];
for (const { name, lacks, expected } of verdicts) {
  test(`where no tier has it the answer is ${name}`, async (t) => {
    const { manifest } = sample(tempDir(t), 'a');
    const tiers = lacks.map((lack, at) => lacking(`tier ${at}`, lack));
    const cache = layeredCache(diskCache(tempDir(t)), tiers);
    assert.deepEqual(await cache.foreseeArtifact('zlib', manifest.key, never), expected);
    assert.deepEqual(await cache.fetchArtifact('zlib', manifest.key, never), expected);
    assert.deepEqual(await cache.fetchBlob(manifest.body, never), expected);
  });
}

test('the archive of a source comes from the disk, else from the first tier that has it', async (t) => {
  const { disk, two, cache } = layers(t);
  const { manifest, file, bytes } = sample(tempDir(t), 'a');
  const { digest } = manifest.body;
  assert.deepEqual(await cache().fetchBlob({ digest }, never), { outcome: 'absent' });
  await two.putBlob(digest, file, never);
  assert.deepEqual(await cache().fetchBlob({ digest }, never), { outcome: 'done', path: disk.blobs.pathOf(digest) });
  assert.deepEqual(readFileSync(disk.blobs.pathOf(digest)), bytes);
  rmSync(two.folder, { recursive: true });
  assert.equal((await cache().fetchBlob({ digest }, never)).outcome, 'done');
});

test('sixteen fetches of one artifact at once bring it whole', async (t) => {
  const { disk, one, cache } = layers(t);
  const { manifest, file } = sample(tempDir(t), 'a', { sizeBytes: 300_000 });
  await push(manifest, file, one, never);
  const fetched = await Promise.all(
    Array.from({ length: 16 }, () => cache().fetchArtifact('zlib', manifest.key, never)),
  );
  assert.ok(fetched.every(({ outcome }) => outcome === 'done'));
  assert.deepEqual(filesBelow(disk.folder), filesBelow(one.folder));
  assert.ok(existsSync(join(disk.folder, manifestObject('zlib', manifest.key))));
});
