/** What differs between a prefix and what is asked of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixDifferences, trustNotes } from '../../src/build/roots.ts';
import { definePackage } from '../../src/buildfile/package.ts';
import type { TrustOptions } from '../../src/cache/trust-spec.ts';
import { make } from '../../src/compile/make.ts';
import { type ContentKey, digestOf } from '../../src/model/digest.ts';
import type { Reason } from '../../src/model/event.ts';
import { directory } from '../../src/sources/directory.ts';

const key = (name: string): TrustOptions['keys'][number] => ({ name, publicKey: `RWQ${name}`, role: 'ci' });
const both = { keys: [key('old'), key('new')] };
const one = { keys: [key('new')], require: { builder: 'ci' } };
const added = (input: string, now: string): Reason => ({ input, now });
const gone = (input: string, before: string): Reason => ({ input, before });

const rows: readonly (readonly [name: string, TrustOptions | undefined, TrustOptions | undefined, Reason[]])[] = [
  ['the same trust', both, { keys: [...both.keys].reverse() }, []],
  ['a key by another name', one, { ...one, keys: [{ ...key('new'), name: 'renamed' }] }, []],
  ['the first key', undefined, { keys: [key('new')] }, [added('trusted key new', 'ci RWQnew')]],
  ['no trust any more', { keys: [key('old')] }, undefined, [gone('trusted key old', 'ci RWQold')]],
  ['a key that went and a rule', both, one, [added('trusted builder', 'ci'), gone('trusted key old', 'ci RWQold')]],
];
for (const [name, before, now, expected] of rows) {
  test(`prefixDifferences() names, for ${name}, what came and went`, () => {
    const notes = { place: '/p', targets: '', ...trustNotes(before && { trust: before }) };
    const want = { roots: [], packages: [], dropped: [], earlier: '' };
    const record = { format: 1, packages: {}, notes } as const;
    const trust = trustNotes(now && { trust: now });
    assert.deepEqual(
      prefixDifferences(record, want, { place: '/p', ...trust }, () => undefined),
      expected,
    );
  });
}

test('prefixDifferences() still sees that trust differs from what an older record notes without names', () => {
  const want = { roots: [], packages: [], dropped: [], earlier: '' };
  const [before, now] = [trustNotes({ trust: both }), trustNotes({ trust: one })];
  const record = { format: 1, packages: {}, notes: { place: '/p', targets: '', trust: before.trust } } as const;
  assert.deepEqual(
    prefixDifferences(record, want, { place: '/p', ...now }, () => undefined),
    [{ input: 'trust', before: before.trust, now: now.trust }],
  );
});

test('prefixDifferences() of a prefix that nothing was installed in yet are its packages, and nothing else', () => {
  const zlib = definePackage('zlib', { version: '1', source: directory('zlib'), recipe: make() });
  const want = { roots: [zlib], packages: [zlib], dropped: [], earlier: '' };
  const own = digestOf('') as string as ContentKey;
  assert.deepEqual(
    prefixDifferences(undefined, want, { place: '/p', ...trustNotes({}) }, () => own),
    [added('zlib@1', own)],
  );
});

test('prefixDifferences() says in plain words what else is asked of a prefix than before', () => {
  const zlib = definePackage('zlib', { version: '1', source: directory('zlib'), recipe: make() });
  const own = digestOf('') as string as ContentKey;
  const want = { roots: [zlib], packages: [zlib], dropped: [], earlier: '' };
  const packages = { zlib: { version: '1', key: own, tree: digestOf('') } };
  const record = { format: 1, packages, notes: { place: '/p', targets: 'png@1', ...trustNotes({}) } } as const;
  assert.deepEqual(
    prefixDifferences(record, want, { place: '/p', ...trustNotes({}) }, () => own),
    [{ input: 'asked for', before: 'png@1', now: 'zlib@1' }],
  );
});
