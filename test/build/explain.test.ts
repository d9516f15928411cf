import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changesBetween, rootCauses, type Snapshot, type SnapshotOf } from '../../src/build/explain.ts';
import { contentKey, keyText } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { Change, Root } from '../../src/model/explanation.ts';

type Fields = Readonly<Record<string, string>>;
const snapshot = (id: string, fields: Fields, patches?: Snapshot['patches']): Snapshot => ({
  package: id,
  fields: Object.entries(fields),
  ...(patches && { patches }),
});
const patch = (name: string, content: string, strip = 1): NonNullable<Snapshot['patches']>[number] => ({
  name,
  digest: digestOf(content),
  strip,
});
/** A change in a few words. */
const brief = (change: Change): string => {
  switch (change.kind) {
    case 'patch':
      return [change.what, change.content.file, change.place, change.from, change.to]
        .filter((one) => one !== undefined)
        .join(' ');
    case 'source':
      return `source ${change.before} ${change.now}`;
    case 'value':
      return `${change.input}: ${change.before ?? 'none'} → ${change.now ?? 'none'}`;
    default:
      return change satisfies never;
  }
};

const [a, b, c] = [patch('a.patch', 'a'), patch('b.patch', 'b'), patch('c.patch', 'c')];
const series: readonly (readonly [
  string,
  NonNullable<Snapshot['patches']>,
  NonNullable<Snapshot['patches']>,
  string[],
])[] = [
  ['equal series', [a, b], [a, b], []],
  ['one more at the front', [a, b], [c, a, b], ['added c.patch 1']],
  ['one fewer in the middle', [a, b, c], [a, c], ['dropped b.patch 2']],
  ['another content', [a, b], [a, patch('b.patch', 'other')], ['changed b.patch 2']],
  ['another order', [a, b], [b, a], ['moved a.patch 2 1 2']],
  ['another name', [a, b], [patch('0.patch', 'a'), b], []],
  ['another name and place', [a, b], [b, patch('z.patch', 'a')], ['moved z.patch 2 1 2']],
  ['another name beside a new one', [a], [patch('0.patch', 'a'), patch('1.patch', 'a')], ['added 1.patch 2']],
  ['another name and content', [a], [patch('0.patch', 'b')], ['added 0.patch 1', 'dropped a.patch 1']],
  ['another strip level', [a], [patch('a.patch', 'a', 0)], ['stripped a.patch 1 1 0']],
];
for (const [name, before, now, expected] of series) {
  test(`changesBetween() tells of patches, for ${name}, just that`, () => {
    const changes = changesBetween(snapshot('p@1', {}, before), snapshot('p@1', {}, now));
    assert.deepEqual(changes.map(brief), expected);
  });
}

const steps: readonly (readonly [string, Fields, Fields, string[]])[] = [
  [
    'a step at the front',
    { 'step.001.build': 'x' },
    { 'step.001.configure': 'c', 'step.002.build': 'x' },
    ['step.001.configure: none → c'],
  ],
  ['another step of a group', { 'step.001.build': 'x' }, { 'step.001.build': 'y' }, ['step.001.build: x → y']],
  [
    'a step that is gone',
    { 'step.001.build': 'x', 'step.002.check': 'k' },
    { 'step.001.build': 'x' },
    ['step.002.check: k → none'],
  ],
  [
    'two steps in another order',
    { 'step.001.build': 'x', 'step.002.build': 'y' },
    { 'step.001.build': 'y', 'step.002.build': 'x' },
    ['step.002.build: none → x', 'step.001.build: x → none'],
  ],
  [
    'one step twice',
    { 'step.001.build': 'x' },
    { 'step.001.build': 'x', 'step.002.build': 'x' },
    ['step.002.build: none → x'],
  ],
];
for (const [name, before, now, expected] of steps) {
  test(`changesBetween() tells of steps, for ${name}, just that`, () => {
    assert.deepEqual(changesBetween(snapshot('p@1', before), snapshot('p@1', now)).map(brief), expected);
  });
}

test('changesBetween() puts source before patches before steps before all else, and leaves moved dependencies out', () => {
  const before = snapshot('p@1', {
    'env.CFLAGS': '-O2',
    'dependency.zlib': 'k1',
    'source.tree': 't1',
    'step.001.build': 'x',
    'patch.001': 'd1',
    'patch.001.strip': '1',
  });
  const now = snapshot('p@1', {
    'env.CFLAGS': '-O3',
    'dependency.zlib': 'k2',
    'dependency.png': 'k',
    'source.tree': 't2',
    'step.001.build': 'y',
    'patch.001': 'd2',
    'patch.001.strip': '1',
  });
  assert.deepEqual(changesBetween(before, now).map(brief), [
    'source t1 t2',
    'changed patch.001 1',
    'step.001.build: x → y',
    'env.CFLAGS: -O2 → -O3',
    'dependency.png: none → k',
  ]);
});

/** Roots as `package through changes`. */
const briefRoots = (roots: readonly Root[]): string[] =>
  roots.map(({ package: id, through, changes }) =>
    [id, ...through.map((one) => `< ${one}`), ...changes.map(brief)].join(' | '),
  );

test('rootCauses() names the package in which a change began, by the shortest way, once', () => {
  const states: Readonly<Record<string, Snapshot>> = {
    'zlib 1': snapshot('zlib@1', { 'env.X': 'a' }),
    'zlib 2': snapshot('zlib@1', { 'env.X': 'b' }),
    'png 1': snapshot('png@1', { 'dependency.zlib': '1' }),
    'png 2': snapshot('png@1', { 'dependency.zlib': '2' }),
    'tiff 1': snapshot('tiff@1', { 'dependency.png': '1', 'env.Y': 'a' }),
    'tiff 2': snapshot('tiff@1', { 'dependency.png': '2', 'env.Y': 'b' }),
  };
  const pil = (n: string): Snapshot => snapshot('pil@1', { 'dependency.png': n, 'dependency.tiff': n });
  const roots = rootCauses(pil('1'), pil('2'), (name, key) => states[`${name} ${key}`]);
  assert.deepEqual(briefRoots(roots), ['tiff@1 | env.Y: a → b', 'zlib@1 | < png@1 | env.X: a → b']);
});

test('rootCauses() says so where it is no longer known what a dependency was made from', () => {
  const now = snapshot('zlib@1', { 'env.X': 'b' });
  const of: SnapshotOf = (_, key) => (key === '2' ? now : undefined);
  const roots = rootCauses(
    snapshot('p@1', { 'dependency.zlib': '1' }),
    snapshot('p@1', { 'dependency.zlib': '2' }),
    of,
  );
  assert.deepEqual(briefRoots(roots), ['zlib@1']);
});

/** Two states of one random graph: package n may depend on packages below n; some change a value of their own. */
const twoStates = fc
  .integer({ min: 1, max: 10 })
  .chain((size) =>
    fc.tuple(...Array.from({ length: size }, (_, at) => fc.tuple(fc.subarray([...Array(at).keys()]), fc.boolean()))),
  );

test('rootCauses() finds exactly the packages that changed themselves and are reached', () => {
  fc.assert(
    fc.property(twoStates, (rows) => {
      const states = new Map<string, Snapshot>();
      const keysOf = (time: 'before' | 'now'): string[] => {
        const keys: string[] = [];
        for (const [at, [needs, changed]] of rows.entries()) {
          const fields: Fields = {
            'package.name': `p${at}`,
            'env.X': changed && time === 'now' ? 'new' : 'old',
            ...Object.fromEntries(needs.map((need) => [`dependency.p${need}`, keys[need] ?? ''])),
          };
          const key = contentKey(keyText(Object.entries(fields)));
          keys.push(key);
          states.set(`p${at} ${key}`, snapshot(`p${at}@1`, fields));
        }
        return keys;
      };
      const last = `p${rows.length - 1}`;
      const [before, now] = [keysOf('before').at(-1), keysOf('now').at(-1)].map((key) => states.get(`${last} ${key}`));
      assert.ok(before && now);
      const reached = new Set<number>();
      const visit = (at: number): void => {
        reached.add(at);
        for (const need of rows[at]?.[0] ?? []) visit(need);
      };
      visit(rows.length - 1);
      const expected = [...reached].filter((at) => rows[at]?.[1]).map((at) => `p${at}@1`);
      const roots = rootCauses(before, now, (name, key) => states.get(`${name} ${key}`));
      assert.deepEqual(roots.map((root) => root.package).sort(), expected.sort());
      for (const { through } of roots) assert.equal(new Set(through).size, through.length);
    }),
  );
});
