/** Sweeping a tier: what is reached or young stays with all that it needs, against a bucket and a folder. */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalKeyOf } from '../../src/artifact/equal.ts';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { unsigned } from '../../src/artifact/sealed.ts';
import { sweepDisk } from '../../src/build/sweep-disk.ts';
import { sweepTier } from '../../src/build/sweep-tier.ts';
import type { CacheTier } from '../../src/cache/cache.ts';
import { diskCache } from '../../src/cache/disk.ts';
import { directoryTier } from '../../src/cache/directory.ts';
import { directoryCache } from '../../src/cache/directory-spec.ts';
import { blobObject, manifestObject, objectFor, sourceObject } from '../../src/cache/layout.ts';
import { push, pushSource } from '../../src/cache/push.ts';
import { bucketOf, s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import { contentKey, keyText, parseKeyText } from '../../src/key/fields.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { type WithCleanUp, tempDir } from '../support/temp.ts';
import { newKey, sealedBy } from './keys.ts';
import { never, type Sample, sample } from './sample.ts';

let server: S3Server;
before(async () => {
  if (skipWithoutS3 === false) server = await startS3Server();
});
after(() => server?.close());

const ci = newKey('ci');
const kinds: readonly {
  readonly kind: string;
  readonly skip: string | false;
  readonly make: (t: WithCleanUp) => Promise<CacheTier>;
}[] = [
  { kind: 'directory', skip: false, make: async (t) => directoryTier(directoryCache(tempDir(t)), '/') },
  {
    kind: 's3',
    skip: skipWithoutS3,
    make: async () =>
      s3Cache(s3({ bucket: await server.bucket(), prefix: 'a/b', endpoint: server.endpoint }), server.owner),
  },
];

test('sweeping the disk takes what leads to a packed tree away with it, and leaves what is young', async (t) => {
  const folder = tempDir(t);
  const disk = diskCache(folder);
  const trees = ['old', 'young'].map((name) => digestOf(name)) as [Digest, Digest];
  for (const tree of trees) {
    const { manifest, file, bytes } = sample(tempDir(t), tree);
    const packed = { digest: manifest.body.digest, sizeBytes: bytes.length, file };
    await pushSource({ archives: [], tree: { digest: tree, pack: async () => packed } }, disk, never);
  }
  const found = await disk.lookUpTree(trees[0], never);
  assert.ok(found.outcome === 'hit');
  const dayAgo = Date.now() / 1000 - 86_400;
  utimesSync(disk.blobs.pathOf(found.body.digest), dayAgo, dayAgo);
  const { swept } = await sweepDisk(folder, 0, false);
  assert.deepEqual(
    swept.map(({ kind, what }) => [kind, what]),
    [['archive', found.body.digest]],
  );
  assert.deepEqual(await disk.lookUpTree(trees[0], never), { outcome: 'absent' });
  assert.equal(await disk.holdsTree(trees[1], never), true);
});

/** All that there is now counts as old. */
const everythingIsOld = { ageMs: -60_000, remove: true, signal: never };
const artifact = ({ manifest }: Sample): string => `${manifest.package.name} ${manifest.key}`;
const names = (swept: readonly { readonly name: string }[]): string[] => swept.map(({ name }) => name);

for (const { kind, skip, make } of kinds) {
  describe(`sweeping a tier of kind ${kind}`, { skip }, () => {
    /** zlib ← png, and jpeg; each with the archive of its source. */
    async function filled(t: WithCleanUp) {
      const tier = await make(t);
      const folder = tempDir(t);
      const zlib = sample(folder, 'z');
      const bare = sample(folder, 'p', { name: 'png' });
      const dependency = { name: 'zlib', version: '1.3.1', key: zlib.manifest.key, tree: zlib.manifest.tree };
      const png = { ...bare, manifest: { ...bare.manifest, dependencies: [dependency] } };
      const jpeg = sample(folder, 'j', { name: 'jpeg' });
      const archives = new Map<Sample, Digest>();
      for (const one of [zlib, png, jpeg]) {
        const archive = sample(folder, `archive of ${one.manifest.package.name}`);
        const { digest } = archive.manifest.body;
        archives.set(one, digest);
        const pin = { kind: 'tarball', files: [{ name: 'x.tar', digest, sizeBytes: archive.bytes.length }] };
        const sealed = sealedBy(one.manifest, ci, { source: { pin, tree: one.manifest.tree } });
        const source = async () => pushSource({ archives: [{ digest, file: archive.file }] }, tier, never);
        await push({ sealed, bodyFile: one.file, source }, tier, never);
      }
      const objectsOf = (one: Sample): string[] =>
        [
          manifestObject(one.manifest.package.name, one.manifest.key, ci.id),
          blobObject(one.manifest.body.digest),
          blobObject(archives.get(one) ?? assert.fail()),
        ].sort();
      return { tier, zlib, png, jpeg, objectsOf };
    }
    const there = async (tier: CacheTier): Promise<string[]> => names((await tier.objects?.all('', never)) ?? []);

    test('removes what is not reached, bodies and archives with it, and keeps what the reached needs', async (t) => {
      const { tier, zlib, png, jpeg, objectsOf } = await filled(t);
      const reached = {
        artifacts: new Map([[artifact(png), png.manifest.keyText]]),
        archives: new Set<Digest>(),
        trees: new Set<Digest>(),
      };
      const listed = await sweepTier(tier, reached, { ...everythingIsOld, remove: false });
      assert.deepEqual(names(listed.swept).sort(), objectsOf(jpeg));
      assert.equal((await there(tier)).length, 9);
      const { swept, kept, young } = await sweepTier(tier, reached, everythingIsOld);
      assert.deepEqual([names(swept), kept, young], [names(listed.swept), 6, 0]);
      assert.match(swept[0]?.name ?? '', /^v1\/artifacts\//);
      assert.deepEqual(await there(tier), [...objectsOf(zlib), ...objectsOf(png)].sort());
    });

    test('keeps what is young, with all that it needs', async (t) => {
      const { tier } = await filled(t);
      const nothing = { artifacts: new Map<string, string>(), archives: new Set<Digest>(), trees: new Set<Digest>() };
      const { swept, kept } = await sweepTier(tier, nothing, { ...everythingIsOld, ageMs: 60_000 });
      assert.deepEqual([swept, kept], [[], 9]);
    });

    test('keeps what is found as equal as long as something that is reached may be found by it, with its body', async (t) => {
      const tier = await make(t);
      const { body, text, of } = standing(sample(tempDir(t), 'p', { name: 'png' }));
      await push({ sealed: unsigned(of('1')), bodyFile: body }, tier, never);
      const place = objectFor({ name: 'png', equal: equalKeyOf(of('1')) ?? assert.fail() }, 'unsigned');
      const whole = [blobObject(of('1').body.digest), place].sort();
      const left = async (reached: Manifest): Promise<string[]> => {
        const artifacts = new Map([[`png ${reached.key}`, reached.keyText]]);
        await sweepTier(tier, { artifacts, archives: new Set(), trees: new Set() }, everythingIsOld);
        return await there(tier);
      };
      assert.deepEqual(await left(of('1')), [manifestObject('png', of('1').key), ...whole].sort());
      // Its key is not reached any more, and what is reached has another dependency, of which nobody knows here what came of it.
      assert.deepEqual(await left(of('2')), whole);
      const another = keyText([...parseKeyText(text('2')), ['step.001', 'true']]);
      assert.deepEqual(await left({ ...of('2'), key: contentKey(another), keyText: another }), []);
    });

    test('keeps archives that a lock file pins', async (t) => {
      const { tier, zlib, objectsOf } = await filled(t);
      const archive = objectsOf(zlib).map((name) => name.slice(name.lastIndexOf('/') + 1)) as Digest[];
      await sweepTier(tier, { artifacts: new Map(), archives: new Set(archive), trees: new Set() }, everythingIsOld);
      assert.deepEqual(
        await there(tier),
        objectsOf(zlib).filter((name) => name.includes('/blobs/')),
      );
    });

    test('keeps trees of sources that a lock file or an artifact needs, packed, and no other', async (t) => {
      const tier = await make(t);
      const folder = tempDir(t);
      const trees = ['pinned', 'built from', 'needed by nobody'].map((name) => digestOf(name));
      for (const tree of trees) {
        const { manifest, file, bytes } = sample(folder, tree);
        const packed = { digest: manifest.body.digest, sizeBytes: bytes.length, file };
        await pushSource({ archives: [], tree: { digest: tree, pack: async () => packed } }, tier, never);
      }
      const [pinned, builtFrom, stray] = trees as [Digest, Digest, Digest];
      const zlib = sample(folder, 'z');
      const sealed = sealedBy(zlib.manifest, ci, { source: { pin: { kind: 'git', commit: 'c' }, tree: builtFrom } });
      await push({ sealed, bodyFile: zlib.file }, tier, never);
      const reached = {
        artifacts: new Map([[artifact(zlib), zlib.manifest.keyText]]),
        archives: new Set<Digest>(),
        trees: new Set([pinned]),
      };
      const { swept } = await sweepTier(tier, reached, everythingIsOld);
      assert.equal(swept.length, 2);
      assert.equal(swept[0]?.name, sourceObject(stray));
      for (const tree of trees) assert.equal(await tier.holdsTree(tree, never), tree !== stray);
    });

    test('leaves what was renewed while it worked', async (t) => {
      const { tier, jpeg, objectsOf } = await filled(t);
      // Object times are whole seconds in a bucket.
      await sleep(1_500);
      const cutoff = Date.now();
      await sleep(1_500);
      const { objects } = tier;
      assert.ok(objects);
      let renewed = false;
      const racing: CacheTier = {
        ...tier,
        objects: {
          ...objects,
          async stat(object, signal) {
            // Somebody pushes jpeg again, just before it would go.
            if (!renewed) {
              renewed = true;
              const { openFolder } = await import('../../src/system/folder-objects.ts');
              const store =
                kind === 's3' ? await bucketOf(specOf(tier), server.owner) : openFolder(tier.name, { idleMs: 1_000 });
              for (const name of objectsOf(jpeg)) await store.renew(kind === 's3' ? `a/b/${name}` : name, signal);
            }
            return objects.stat(object, signal);
          },
        },
      };
      const reached = { artifacts: new Map<string, string>(), archives: new Set<Digest>(), trees: new Set<Digest>() };
      await sweepTier(racing, reached, { ...everythingIsOld, ageMs: Date.now() - cutoff });
      assert.deepEqual(await there(tier), objectsOf(jpeg));
      assert.equal((await tier.fetchBlob(jpeg.manifest.body, `${tempDir(t)}/body`, never)).outcome, 'done');
      assert.equal(
        (await tier.objects?.manifest({ name: 'jpeg', key: jpeg.manifest.key, signer: ci.id }, never))?.outcome,
        'hit',
      );
    });
  });
}

/** An artifact that was compiled against one tree, as made by several keys of that dependency. */
function standing({ manifest, file }: Sample) {
  const text = (dependency: string): string =>
    keyText([
      ['dependency.zlib', dependency],
      ['package.name', 'png'],
    ]);
  const against = [{ name: 'zlib', tree: digestOf('zlib'), reachesPrefix: true }];
  const of = (dependency: string): Manifest => {
    const said = text(dependency);
    return { ...manifest, key: contentKey(said), keyText: said, against };
  };
  return { body: file, text, of };
}

const specOf = ({ name }: CacheTier) => s3({ bucket: name.split('/')[2] ?? '', endpoint: server.endpoint });
