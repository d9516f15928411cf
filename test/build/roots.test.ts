/** What differs between a prefix and what is asked of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixDifferences, trustNotes } from '../../src/build/roots.ts';
import type { TrustOptions } from '../../src/cache/trust-spec.ts';
import type { Reason } from '../../src/model/event.ts';

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
