/** Whose manifests are accepted: the judgement of each, and what the disk makes of it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { type SealedManifest, signed, unsigned } from '../../src/artifact/sealed.ts';
import { LOCAL } from '../../src/artifact/signer.ts';
import { diskCache } from '../../src/cache/disk.ts';
import { type Judgement, judgeManifest } from '../../src/cache/judge.ts';
import { layeredCache } from '../../src/cache/layered.ts';
import { manifestObject } from '../../src/cache/layout.ts';
import { push } from '../../src/cache/push.ts';
import type { Trust } from '../../src/cache/trust.ts';
import { contentKey, keyText, parseKeyText } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';
import { tempDir } from '../support/temp.ts';
import { commit, newKey, sealedBy, trusting } from './keys.ts';
import { filesBelow, never, sample } from './sample.ts';

const [ci, next, pr, stranger] = [
  newKey('ci-old', 'ci'),
  newKey('ci-new', 'ci'),
  newKey('pr'),
  newKey('stranger', 'ci'),
];
const work = tempDir({ after: (callback) => process.on('exit', () => void callback()) });
const { manifest } = sample(work, 'a');

const judged = (sealed: SealedManifest, trust: Trust | undefined, signer = sealed.signer): Judgement =>
  judgeManifest(sealed.bytes, { name: 'zlib', key: manifest.key, signer }, trust);

/** The bytes with one part of their JSON changed. */
function changed(
  sealed: SealedManifest,
  change: (data: { payload: string; signature: string }) => object,
): SealedManifest {
  const data = JSON.parse(Buffer.from(sealed.bytes).toString()) as { payload: string; signature: string };
  return { ...sealed, bytes: Buffer.from(JSON.stringify({ format: 1, ...data, ...change(data) })) };
}

const revision = { commit, clean: true, ref: 'main' };
const byCi = sealedBy(manifest, ci);
const strict = trusting([ci, pr], { builder: 'ci', ref: 'main' });

const accepted: readonly (readonly [name: string, sealed: SealedManifest, trust: Trust | undefined])[] = [
  ['an unsigned one without a policy', unsigned(manifest), undefined],
  ['a signed one without a policy', byCi, undefined],
  ['one signed by the only trusted key', byCi, trusting([ci])],
  ['one signed by any of several trusted keys', byCi, trusting([next, pr, ci])],
  ['one built by the role that is wanted', byCi, trusting([next, ci], { builder: 'ci' })],
  ['one built from the branch that is wanted', byCi, strict],
  ['one without a revision where none is wanted', signedWithout(), trusting([ci], { builder: 'ci' })],
];
function signedWithout(): SealedManifest {
  const { revision: _, ...rest } = sealedBy(manifest, ci).manifest.statement ?? assert.fail();
  return signed({ ...manifest, statement: rest }, ci.secret);
}
for (const [name, sealed, trust] of accepted) {
  test(`a manifest is accepted: ${name}`, () => {
    const found = judged(sealed, trust);
    assert.equal(found.outcome, 'hit');
    assert.deepEqual(found.manifest, sealed.manifest);
  });
}

const refused: readonly (readonly [name: string, found: Judgement, reason: RegExp, damaged: boolean])[] = [
  ['an unsigned one', judged(unsigned(manifest), strict), /^it is not signed$/, true],
  [
    'one of an unknown key',
    judged(sealedBy(manifest, stranger), strict),
    /signed by \S+, which the Buildfile does not/,
    true,
  ],
  [
    'one of an unknown key in the place of a trusted one',
    judged(sealedBy(manifest, stranger), strict, ci.id),
    /lies in the place of key/,
    true,
  ],
  [
    'one of another key that claims the id of a trusted one',
    judged(sealedBy(manifest, { ...ci, secret: { ...stranger.secret, id: ci.id } }), strict),
    /signature by ci-old \(\S+\) does not hold/,
    true,
  ],
  [
    'one with another payload',
    judged(
      changed(byCi, ({ payload }) => ({ payload: payload.replace('"1.3.1"', '"1.3.2"') })),
      strict,
    ),
    /does not hold/,
    true,
  ],
  [
    'one with a blank more',
    judged(
      changed(byCi, ({ payload }) => ({ payload: `${payload} ` })),
      strict,
    ),
    /not hold/,
    true,
  ],
  [
    'one with the signature of another',
    judged(
      changed(byCi, () => JSON.parse(sign('b'))),
      strict,
    ),
    /package|key|hold/,
    true,
  ],
  [
    'one without a signature',
    judged(
      changed(byCi, () => ({ signature: '' })),
      strict,
    ),
    /not one of minisign/,
    true,
  ],
  [
    'one without a payload',
    judged(
      changed(byCi, () => ({ payload: 1 })),
      strict,
    ),
    /does not hold a payload/,
    true,
  ],
  [
    'one that says another role',
    judged(sealedBy(manifest, pr, { builder: 'ci' }), strict),
    /its key pr is for pr$/,
    false,
  ],
  ['one of another role', judged(sealedBy(manifest, pr), strict), /built by pr, and the policy wants ci/, false],
  [
    'one of another branch',
    judged(sealedBy(manifest, ci, { revision: { ...revision, ref: 'refs/pull/7/merge' } }), strict),
    /built from refs\/pull\/7\/merge, and the policy wants main/,
    false,
  ],
  [
    'one of no branch',
    judged(sealedBy(manifest, ci, { revision: { commit, clean: true } }), strict),
    /commit c+ on no branch/,
    false,
  ],
  [
    'one of modified files',
    judged(sealedBy(manifest, ci, { revision: { ...revision, clean: false } }), strict),
    /from main with modified files/,
    false,
  ],
  ['one without a revision', judged(signedWithout(), strict), /says no revision/, false],
];
function sign(seed: string): string {
  return Buffer.from(sealedBy(sample(work, seed).manifest, ci).bytes).toString();
}
for (const [name, found, reason, damaged] of refused) {
  test(`a manifest is refused: ${name}`, () => {
    assert.equal(found.outcome, 'rejected');
    assert.match(found.reason, reason);
    assert.equal(found.damaged, damaged);
  });
}

describe('the disk under a policy', () => {
  test('takes what was packed here whatever the policy says', async (t) => {
    const disk = diskCache(tempDir(t), strict);
    const { manifest: own, file } = sample(tempDir(t), 'a');
    await push({ sealed: unsigned(own, LOCAL), bodyFile: file }, disk, never);
    assert.equal((await disk.lookUp('zlib', own.key, never)).outcome, 'hit');
    assert.ok(disk.has('zlib', own.key));
  });

  test('refuses what another Buildfile of the same user let in, and leaves it there for that one', async (t) => {
    const folder = tempDir(t);
    const { manifest: theirs, file } = sample(tempDir(t), 'a');
    const careless = diskCache(folder);
    await push({ sealed: unsigned(theirs), bodyFile: file }, careless, never);
    await push({ sealed: sealedBy(theirs, pr), bodyFile: file }, careless, never);
    const disk = diskCache(folder, strict);
    assert.deepEqual(await disk.lookUp('zlib', theirs.key, never), {
      outcome: 'rejected',
      reason: 'it was built by pr, and the policy wants ci',
    });
    assert.deepEqual(await diskCache(folder, trusting([ci])).lookUp('zlib', theirs.key, never), {
      outcome: 'rejected',
      reason: `it is not signed, or signed by ${pr.id}, which the Buildfile does not trust`,
    });
    assert.ok(!diskCache(folder, trusting([ci])).has('zlib', theirs.key));
    assert.equal((await careless.lookUp('zlib', theirs.key, never)).outcome, 'hit');
  });

  test('sets aside what nobody could use', async (t) => {
    const folder = tempDir(t);
    const path = join(folder, manifestObject('zlib', manifest.key, ci.id));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, changed(byCi, () => ({ payload: '{}' })).bytes);
    const disk = diskCache(folder, strict);
    assert.equal((await disk.lookUp('zlib', manifest.key, never)).outcome, 'rejected');
    assert.equal((await disk.lookUp('zlib', manifest.key, never)).outcome, 'absent');
  });

  test('keeps the exact bytes that came from below, so that their signature holds the next time', async (t) => {
    const [folder, below] = [tempDir(t), diskCache(tempDir(t), strict)];
    const { manifest: theirs, file } = sample(tempDir(t), 'a');
    const sealed = sealedBy(theirs, ci);
    await push({ sealed, bodyFile: file }, below, never);
    const cache = layeredCache(diskCache(folder, strict), [{ ...below, name: 'below' }]);
    const fetched = await cache.fetchArtifact('zlib', theirs.key, never);
    assert.equal(fetched.outcome === 'done' && fetched.tier, 'below');
    assert.deepEqual(await diskCache(folder, strict).lookUp('zlib', theirs.key, never), { outcome: 'hit', ...sealed });
    assert.ok(filesBelow(folder).includes(manifestObject('zlib', theirs.key, ci.id)));
  });

  test('lets a signed artifact stand in for another, by the signature that it has: nobody could make a new one', async (t) => {
    const [folder, below] = [tempDir(t), diskCache(tempDir(t), strict)];
    const { manifest: bare, file } = sample(tempDir(t), 'a');
    const against = [{ name: 'nasm', tree: digestOf('nasm'), reachesPrefix: false }];
    const of = (nasm: string): Manifest & { readonly against: typeof against } => {
      const text = keyText([...parseKeyText(bare.keyText), ['dependency.nasm', nasm]]);
      return { ...bare, keyText: text, key: contentKey(text), against };
    };
    const [old, now] = [of('1'), of('2')];
    await push({ sealed: sealedBy(old, ci), bodyFile: file }, below, never);
    const cache = layeredCache(diskCache(folder, strict), [{ ...below, name: 'below' }]);
    const fetched = await cache.fetchEqual('zlib', now, never);
    assert.equal(fetched.outcome, 'done', 'reason' in fetched ? fetched.reason : '');
    assert.deepEqual(
      [fetched.manifest.key, fetched.manifest.body, fetched.tier, fetched.madeFrom],
      [now.key, old.body, 'below', old.keyText],
    );
    const found = await diskCache(folder, strict).lookUp('zlib', now.key, never);
    assert.deepEqual([found.outcome, 'signer' in found && found.signer], ['hit', ci.id]);
    assert.equal((await diskCache(folder, trusting([pr])).lookUp('zlib', now.key, never)).outcome, 'rejected');
    // What it would be the artifact of is not covered by the signature: that it was made of the same is computed each time.
    const path = join(folder, manifestObject('zlib', now.key, ci.id));
    const sound = readFileSync(path, 'utf8');
    const spoilt = sound.replace(/("against": \[\s*\{[^}]*"tree": ")[0-9a-f]+/, `$1${digestOf('yasm')}`);
    assert.notEqual(spoilt, sound);
    writeFileSync(path, spoilt);
    const second = await diskCache(folder, strict).lookUp('zlib', now.key, never);
    assert.match(
      'reason' in second ? second.reason : '',
      /it stands in for an artifact that is made of something else/,
    );
  });

  test('has room for every signer of one key, and none keeps another out', async (t) => {
    const folder = tempDir(t);
    const { manifest: one, file } = sample(tempDir(t), 'a');
    const disk = diskCache(folder, trusting([ci, pr]));
    await push({ sealed: sealedBy(one, pr), bodyFile: file }, disk, never);
    await push({ sealed: sealedBy(one, ci), bodyFile: file }, disk, never);
    await push({ sealed: unsigned(one), bodyFile: file }, disk, never);
    const found = await disk.lookUp('zlib', one.key, never);
    assert.equal(found.outcome === 'hit' && found.signer, ci.id);
    assert.equal(filesBelow(folder).filter((path) => path.endsWith('.json')).length, 3);
  });
});
