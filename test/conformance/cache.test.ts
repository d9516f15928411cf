/** What every cache tier promises, run against each kind there is. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { equalKeyOf } from '../../src/artifact/equal.ts';
import { standingIn, unsigned } from '../../src/artifact/sealed.ts';
import { serialiseManifest } from '../../src/artifact/manifest-text.ts';
import type { CacheTier } from '../../src/cache/cache.ts';
import { directoryTier } from '../../src/cache/directory.ts';
import { directoryCache } from '../../src/cache/directory-spec.ts';
import { diskCache } from '../../src/cache/disk.ts';
import { httpTier } from '../../src/cache/http.ts';
import { httpCache } from '../../src/cache/http-spec.ts';
import { blobObject, manifestObject, objectFor, sourceObject } from '../../src/cache/layout.ts';
import { pointerText } from '../../src/cache/packed-tree.ts';
import { push as pushSealed } from '../../src/cache/push.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import type { Trust } from '../../src/cache/trust.ts';
import { contentKey, keyText, parseKeyText } from '../../src/key/fields.ts';
import { type ContentKey, type Digest, digestOf } from '../../src/model/digest.ts';
import { filesBelow, hit, never, push, type Sample, sample } from '../cache/sample.ts';
import { commit, newKey, sealedBy, trusting } from '../cache/keys.ts';
import { fileServer } from '../support/http-server.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { type WithCleanUp, tempDir } from '../support/temp.ts';

interface Fixture {
  /** As a new run has it, and one that pushes. */
  readonly tier: CacheTier;
  /** What a tier that is only read is filled through; else the same. */
  readonly filler: CacheTier;
  /** Puts bytes under an object name, past the tier. */
  readonly place: (object: string, bytes: string | Uint8Array) => Promise<void>;
  /** Every object name there is. */
  readonly objects: () => Promise<readonly string[]>;
}

/** A folder with everything but the tier. */
function folderFixture(folder: string): Omit<Fixture, 'tier' | 'filler'> {
  return {
    async place(object, bytes) {
      mkdirSync(dirname(join(folder, object)), { recursive: true });
      writeFileSync(join(folder, object), bytes);
    },
    objects: async () => filesBelow(folder),
  };
}

const kinds: readonly {
  readonly kind: string;
  readonly skip: string | false;
  readonly make: (t: WithCleanUp, trust?: Trust) => Promise<Fixture>;
}[] = [
  {
    kind: 'disk',
    skip: false,
    async make(t, trust) {
      const folder = tempDir(t);
      const tier = diskCache(folder, trust);
      return { ...folderFixture(folder), tier, filler: tier };
    },
  },
  {
    kind: 'directory',
    skip: false,
    async make(t, trust) {
      const folder = tempDir(t);
      const tier = directoryTier(directoryCache(folder), '/', { trust });
      return { ...folderFixture(folder), tier, filler: tier };
    },
  },
  {
    kind: 'http',
    skip: false,
    async make(t, trust) {
      const folder = tempDir(t);
      const { url } = await fileServer(t, folder);
      return {
        ...folderFixture(folder),
        tier: httpTier(httpCache(url), {}, { trust }),
        filler: directoryTier(directoryCache(folder), '/', { trust }),
      };
    },
  },
  {
    kind: 's3',
    skip: skipWithoutS3,
    async make(_t, trust) {
      const bucket = await server.bucket();
      const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner, { trust });
      return {
        tier,
        filler: tier,
        place: (object, bytes) => server.put(bucket, object, bytes),
        objects: () => server.list(bucket),
      };
    },
  },
];

/** The same artifact as one that was compiled against a tree. */
function standing({ manifest, file }: Sample, tree = 'tree', key = 'e'.repeat(64)): Pick<Sample, 'manifest' | 'file'> {
  const text = keyText([...parseKeyText(manifest.keyText), ['dependency.nasm', key]]);
  const against = [{ name: 'nasm', tree: digestOf(tree), reachesPrefix: false }];
  return { file, manifest: { ...manifest, keyText: text, key: contentKey(text), against } };
}

const [ci, next, stranger] = [newKey('ci'), newKey('next', 'ci'), newKey('stranger')];

let server: S3Server;
before(async () => {
  if (skipWithoutS3 === false) server = await startS3Server();
});
after(() => server?.close());

for (const { kind, skip, make } of kinds) {
  describe(`a cache tier of kind ${kind}`, { skip }, () => {
    test('gives back what was pushed, byte for byte', async (t) => {
      const { tier, filler } = await make(t);
      const { manifest, file, bytes } = sample(tempDir(t), 'a');
      await push(manifest, file, filler, never);
      assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), hit(manifest));
      const into = join(tempDir(t), 'body');
      assert.deepEqual(await tier.fetchBlob(manifest.body, into, never), { outcome: 'done' });
      assert.deepEqual(readFileSync(into), bytes);
    });

    test('takes packages of any name that a package may bear', async (t) => {
      const { tier, filler } = await make(t);
      for (const name of ['libsigc++-2.0', 'x', 'A_b.c~d', 'q&a=1;b#c?d%25']) {
        const { manifest, file } = sample(tempDir(t), 'a', { name });
        await push(manifest, file, filler, never);
        assert.deepEqual(await tier.lookUp(name, manifest.key, never), hit(manifest));
      }
    });

    test('holds an object per body and per manifest, named as the layout says, and nothing else', async (t) => {
      const { filler, objects } = await make(t);
      const { manifest, file } = sample(tempDir(t), 'a');
      await push(manifest, file, filler, never);
      assert.deepEqual(await objects(), [manifestObject('zlib', manifest.key), blobObject(manifest.body.digest)]);
    });

    test('says absent of a key and of a blob that it was never given', async (t) => {
      const { tier } = await make(t);
      const { manifest } = sample(tempDir(t), 'a');
      const into = join(tempDir(t), 'body');
      assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), { outcome: 'absent' });
      assert.deepEqual(await tier.fetchBlob(manifest.body, into, never), { outcome: 'absent' });
      assert.equal(existsSync(into), false);
    });

    test('keeps the first build of a key when another one is pushed', async (t) => {
      const { tier, filler } = await make(t);
      const [first, second] = [sample(tempDir(t), 'a'), sample(tempDir(t), 'a')];
      await push(first.manifest, first.file, filler, never);
      await push(second.manifest, second.file, filler, never);
      assert.deepEqual(await tier.lookUp('zlib', first.manifest.key, never), hit(first.manifest));
    });

    test('holds one valid artifact after sixteen pushes of one key at once', async (t) => {
      const { tier, filler } = await make(t);
      const samples = Array.from({ length: 16 }, () => sample(tempDir(t), 'a', { sizeBytes: 100_000 }));
      await Promise.all(samples.map(({ manifest, file }) => push(manifest, file, filler, never)));
      const answer = await tier.lookUp('zlib', samples[0]?.manifest.key ?? assert.fail(), never);
      assert.equal(answer.outcome, 'hit');
      const { body } = answer.manifest;
      assert.ok(samples.some(({ manifest }) => manifest.body.digest === body.digest));
      const into = join(tempDir(t), 'body');
      assert.deepEqual(await tier.fetchBlob(body, into, never), { outcome: 'done' });
      assert.equal(digestOf(readFileSync(into)), body.digest);
    });

    test('rejects a manifest that is not one, or not the one asked for', async (t) => {
      const { tier, place } = await make(t);
      const folder = tempDir(t);
      const { manifest } = sample(folder, 'a');
      const object = manifestObject('zlib', manifest.key);
      const strangers = [
        '',
        '{',
        '{}',
        '[]',
        'null',
        serialiseManifest(sample(folder, 'b').manifest),
        serialiseManifest(sample(folder, 'a', { name: 'png' }).manifest),
      ];
      for (const text of strangers) {
        await place(object, text);
        const answer = await tier.lookUp('zlib', manifest.key, never);
        assert.equal(answer.outcome, 'rejected', text);
        assert.notEqual(answer.reason, '');
      }
    });

    test('rejects a blob with other bytes than its name says, and leaves nothing of it', async (t) => {
      const { tier, place } = await make(t);
      const { manifest, bytes } = sample(tempDir(t), 'a');
      const into = join(tempDir(t), 'body');
      const damaged = Buffer.from(bytes);
      damaged[17] = (damaged[17] ?? 0) ^ 1;
      for (const content of [damaged, bytes.subarray(1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)]) {
        await place(blobObject(manifest.body.digest), content);
        const fetched = await tier.fetchBlob(manifest.body, into, never);
        assert.equal(fetched.outcome, 'rejected');
        assert.equal(existsSync(into), false);
      }
    });

    test('takes archives of sources as blobs without a manifest, their size not known beforehand', async (t) => {
      const { tier, filler } = await make(t);
      const { manifest, file, bytes } = sample(tempDir(t), 'a', { sizeBytes: 700_000 });
      const { digest } = manifest.body;
      await filler.putBlob(digest, file, never);
      await filler.putBlob(digest, file, never);
      const into = join(tempDir(t), 'archive');
      const seen: number[] = [];
      assert.deepEqual(await tier.fetchBlob({ digest }, into, never, (doneBytes) => seen.push(doneBytes)), {
        outcome: 'done',
      });
      assert.deepEqual(readFileSync(into), bytes);
      assert.equal(seen.at(-1), bytes.length);
    });

    test('leads from the tree of a source to the blob that it is packed in, once it has been told', async (t) => {
      const { tier, filler, objects } = await make(t);
      const tree = digestOf('a tree');
      const [first, second] = [sample(tempDir(t), 'a'), sample(tempDir(t), 'b')];
      const bodyOf = ({ manifest, bytes }: typeof first) => ({
        digest: manifest.body.digest,
        sizeBytes: bytes.length,
      });
      assert.deepEqual(await tier.lookUpTree(tree, never), { outcome: 'absent' });
      assert.equal(await tier.holdsTree(tree, never), false);
      // Without its blob it is as good as not there, and the next one takes its place.
      await filler.putTree(tree, bodyOf(first), never);
      assert.equal(await tier.holdsTree(tree, never), false);
      await filler.putBlob(bodyOf(second).digest, second.file, never);
      await filler.putTree(tree, bodyOf(second), never);
      assert.deepEqual(await tier.lookUpTree(tree, never), { outcome: 'hit', body: bodyOf(second) });
      assert.equal(await tier.holdsTree(tree, never), true);
      assert.deepEqual(await objects(), [blobObject(bodyOf(second).digest), sourceObject(tree)]);
    });

    test('rejects what lies in the place of a tree and says something else, and lets it be replaced', async (t) => {
      const { tree, body } = { tree: digestOf('a tree'), body: { digest: digestOf('x'), sizeBytes: 3 } };
      for (const text of [
        '',
        'null',
        '[]',
        '{"format":1}',
        pointerText(tree, body).replace('"format":1', '"format":2'),
        pointerText(tree, body).replace('"sizeBytes":3', '"sizeBytes":-3'),
        pointerText(digestOf('another tree'), body),
        pointerText(tree, { ...body, sizeBytes: 2 ** 40 }),
        pointerText(tree, { ...body, digest: '../../x' as Digest }),
        pointerText(tree, body).padEnd(2000),
      ]) {
        const { tier, filler, place } = await make(t);
        await place(sourceObject(tree), text);
        assert.equal((await tier.lookUpTree(tree, never)).outcome, 'rejected', text);
        const { manifest, file, bytes } = sample(tempDir(t), 'a');
        await filler.putBlob(manifest.body.digest, file, never);
        await filler.putTree(tree, { digest: manifest.body.digest, sizeBytes: bytes.length }, never);
        assert.equal(await tier.holdsTree(tree, never), true, text);
      }
    });

    test('gives back a signed manifest by its exact bytes, the body too, and prefers nobody who is not trusted', async (t) => {
      const { tier, filler } = await make(t, trusting([ci, next]));
      const { manifest, file, bytes } = sample(tempDir(t), 'a');
      await push(manifest, file, filler, never);
      const sealed = sealedBy(manifest, next);
      await pushSealed({ sealed, bodyFile: file }, filler, never);
      assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), { outcome: 'hit', ...sealed });
      const into = join(tempDir(t), 'body');
      assert.deepEqual(await tier.fetchBlob(manifest.body, into, never), { outcome: 'done' });
      assert.deepEqual(readFileSync(into), bytes);
    });

    test('asks for the keys in their order, and takes the first acceptable manifest', async (t) => {
      const { tier, filler, objects } = await make(t, trusting([next, ci], { ref: 'main' }));
      const { manifest, file } = sample(tempDir(t), 'a');
      const dirty = sealedBy(manifest, next, { revision: { commit, clean: false, ref: 'main' } });
      const clean = sealedBy(manifest, ci);
      for (const sealed of [clean, dirty]) await pushSealed({ sealed, bodyFile: file }, filler, never);
      assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), { outcome: 'hit', ...clean });
      assert.equal((await objects()).filter((name) => name.endsWith('.json')).length, 2);
    });

    test('rejects what only others have signed, or says that it is absent where it cannot list', async (t) => {
      const { tier, place } = await make(t, trusting([ci]));
      const { manifest } = sample(tempDir(t), 'a');
      await place(manifestObject('zlib', manifest.key), serialiseManifest(manifest));
      await place(manifestObject('zlib', manifest.key, stranger.id), sealedBy(manifest, stranger).bytes);
      const expected =
        kind === 'http'
          ? { outcome: 'absent' }
          : {
              outcome: 'rejected',
              reason: `it is not signed, or signed by ${stranger.id}, which the Buildfile does not trust`,
            };
      assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), expected);
    });

    test('rejects a manifest whose signature does not hold', async (t) => {
      const { tier, place } = await make(t, trusting([ci]));
      const { manifest } = sample(tempDir(t), 'a');
      const bytes = Buffer.from(sealedBy(manifest, ci).bytes).toString().replace('1.3.1', '1.3.2');
      await place(manifestObject('zlib', manifest.key, ci.id), bytes);
      const answer = await tier.lookUp('zlib', manifest.key, never);
      assert.equal(answer.outcome, 'rejected');
      assert.match(answer.reason, /its signature by ci \(\S+\) does not hold/);
    });

    test('finds an artifact by the trees that it was compiled against, and nothing that is not one', async (t) => {
      const { tier, filler, place, objects } = await make(t);
      const { manifest, file } = standing(sample(tempDir(t), 'a'));
      const equal = equalKeyOf(manifest) ?? assert.fail();
      assert.deepEqual(await tier.lookUpEqual('zlib', equal, never), { outcome: 'absent' });
      await push(manifest, file, filler, never);
      assert.deepEqual(await tier.lookUpEqual('zlib', equal, never), hit(manifest));
      const object = objectFor({ name: 'zlib', equal }, 'unsigned');
      assert.ok((await objects()).includes(object));
      const strangers = [
        '{',
        serialiseManifest(sample(tempDir(t), 'a').manifest),
        serialiseManifest(standing(sample(tempDir(t), 'a'), 'another tree').manifest),
        serialiseManifest(standing(sample(tempDir(t), 'b')).manifest),
        serialiseManifest(standing(sample(tempDir(t), 'a', { name: 'png' })).manifest),
        serialiseManifest({ ...manifest, keyText: 'none', key: digestOf('none') as string as ContentKey }),
      ];
      for (const text of strangers) {
        await place(object, text);
        const answer = await tier.lookUpEqual('zlib', equal, never);
        assert.equal(answer.outcome, 'rejected', `${'reason' in answer ? answer.reason : ''}: ${text}`);
      }
      // A push leaves it as it is, and repairs it when told to.
      await pushSealed({ sealed: unsigned(manifest), bodyFile: file }, filler, never, { thorough: true, repair: true });
      assert.deepEqual(await tier.lookUpEqual('zlib', equal, never), hit(manifest));
    });

    test('takes by the trees only what a trusted key has signed, and nothing that merely says to stand in for another', async (t) => {
      const { tier, place } = await make(t, trusting([ci]));
      const { manifest, file } = standing(sample(tempDir(t), 'a'));
      await place(blobObject(manifest.body.digest), readFileSync(file));
      const equal = equalKeyOf(manifest) ?? assert.fail();
      await place(objectFor({ name: 'zlib', equal }, 'unsigned'), serialiseManifest(manifest));
      await place(objectFor({ name: 'zlib', equal }, stranger.id), sealedBy(manifest, stranger).bytes);
      assert.notEqual((await tier.lookUpEqual('zlib', equal, never)).outcome, 'hit');
      const signed = sealedBy(manifest, ci);
      await place(objectFor({ name: 'zlib', equal }, ci.id), signed.bytes);
      assert.deepEqual(await tier.lookUpEqual('zlib', equal, never), { outcome: 'hit', ...signed });
      if (kind === 'disk') return;
      // Signed is what it was made of; whoever may write to the tier could claim any other key for it.
      const now = standing(sample(tempDir(t), 'a'), 'tree', 'f'.repeat(64)).manifest;
      const claimed = standingIn(signed, { ...now, against: now.against ?? [] });
      await place(manifestObject('zlib', now.key, ci.id), claimed.bytes);
      const answer = await tier.lookUp('zlib', now.key, never);
      assert.deepEqual(
        [answer.outcome, 'reason' in answer && /nobody has signed/.test(answer.reason)],
        ['rejected', true],
      );
    });

    test('throws the reason of an aborted signal, not an answer', async (t) => {
      const { tier, filler } = await make(t);
      const { manifest, file } = sample(tempDir(t), 'a');
      const why = new Error('interrupted by the user');
      const signal = AbortSignal.abort(why);
      const into = join(tempDir(t), 'body');
      await assert.rejects(tier.lookUp('zlib', manifest.key, signal), why);
      await assert.rejects(tier.fetchBlob(manifest.body, into, signal), why);
      await assert.rejects(push(manifest, file, filler, signal), why);
    });
  });
}
