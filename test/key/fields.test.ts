import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, contentKey, differences, type Field, keyText, parseKeyText } from '../../src/key/fields.ts';

const fieldSets = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), {
  selector: ([name]) => name,
});

test('keyText() is the same whatever order the fields come in', () => {
  fc.assert(
    fc.property(fieldSets, fc.infiniteStream(fc.nat()), (fields, numbers) => {
      const shuffled = fields.map((field) => [numbers.next().value, field] as const).sort(([a], [b]) => a - b);
      assert.equal(keyText(shuffled.map(([, field]) => field)), keyText(fields));
    }),
  );
});

test('keyText() differs whenever a field differs, and reads back as the fields it was made from', () => {
  fc.assert(
    fc.property(fieldSets, fieldSets, (a, b) => {
      const sorted = (fields: readonly Field[]): Field[] => [...fields].sort(([x], [y]) => (x < y ? -1 : 1));
      assert.deepEqual(parseKeyText(keyText(a)), sorted(a));
      assert.equal(keyText(a) === keyText(b), JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
    }),
  );
});

test('keyText() refuses two fields of one name', () => {
  assert.throws(
    () =>
      keyText([
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
      ]),
    /named a/,
  );
});

test('contentKey() is SHA-256 of the text', () => {
  assert.equal(contentKey(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('differences() names what was added, dropped and changed, and nothing else', () => {
  assert.deepEqual(
    differences(
      [
        ['same', '1'],
        ['changed', '1'],
        ['dropped', '1'],
      ],
      [
        ['same', '1'],
        ['changed', '2'],
        ['added', '3'],
      ],
    ),
    [
      { input: 'changed', before: '1', now: '2' },
      { input: 'added', now: '3' },
      { input: 'dropped', before: '1' },
    ],
  );
});

test('canonicalJson() does not depend on the order of keys, at any depth', () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: undefined, a: 'x' }], a: null }), '{"a":null,"b":[{"a":"x","d":1}]}');
});
