/** Where the nodes and edges of a picture lie. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layered, type LayoutEdge, type Placed } from '../../src/report/layered-layout.ts';

const gaps = { column: 40, row: 10 };

/** Any graph without cycles: edges lead from lower to higher numbers. */
const graphs = fc.integer({ min: 1, max: 14 }).chain((most) =>
  fc.record({
    nodes: fc.array(fc.record({ width: fc.integer({ min: 20, max: 200 }), height: fc.integer({ min: 20, max: 60 }) }), {
      minLength: most + 1,
      maxLength: most + 1,
    }),
    edges: fc.uniqueArray(
      fc.tuple(fc.nat(most), fc.nat(most)).filter(([from, to]) => from < to),
      { selector: (pair) => pair.join(), maxLength: 30 },
    ),
  }),
);

const overlap = (a: Placed, b: Placed): boolean =>
  a.x < b.x + b.width &&
  b.x < a.x + a.width &&
  a.y < b.y + b.height + gaps.row - 0.01 &&
  b.y < a.y + a.height + gaps.row - 0.01;

test('layered() lets no two nodes touch, leads every edge from left to right, and stays inside its size', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const nodes = graph.nodes.map((size, at) => ({ id: `n${at}`, ...size }));
      const edges = graph.edges.map(([from, to]): LayoutEdge => ({ from: `n${from}`, to: `n${to}` }));
      const layout = layered(nodes, edges, gaps);
      assert.deepEqual(layout, layered(nodes, edges, gaps));
      assert.deepEqual(layout.nodes.map(({ id }) => id).sort(), nodes.map(({ id }) => id).sort());
      const placed = new Map(layout.nodes.map((node) => [node.id, node]));
      for (const [at, one] of layout.nodes.entries()) {
        for (const other of layout.nodes.slice(at + 1)) assert.ok(!overlap(one, other), `${one.id} on ${other.id}`);
        assert.ok(one.x >= 0 && one.x + one.width <= layout.width + 0.01, `${one.id} is beside the picture`);
        assert.ok(one.y >= -0.01 && one.y + one.height <= layout.height + 0.01, `${one.id} is out of the picture`);
      }
      for (const { from, to, points } of layout.edges) {
        const [start, end] = [placed.get(from), placed.get(to)];
        const middle = (node: Placed | undefined): number => (node?.y ?? 0) + (node?.height ?? 0) / 2;
        assert.deepEqual(points[0]?.[0], (start?.x ?? 0) + (start?.width ?? 0));
        assert.deepEqual(points.at(-1)?.[0], end?.x);
        assert.ok(Math.abs((points[0]?.[1] ?? 0) - middle(start)) < 0.01);
        assert.ok(Math.abs((points.at(-1)?.[1] ?? 0) - middle(end)) < 0.01);
        const steps = points.map(([x]) => x);
        assert.deepEqual(
          steps,
          steps.toSorted((a, b) => a - b),
          `${from} to ${to} turns back`,
        );
      }
    }),
    { numRuns: 200 },
  );
});

test('layered() draws a tree without crossings, and a chain as a straight line', () => {
  const node = (id: string) => ({ id, width: 50, height: 20 });
  const tree = layered(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(node),
    // Given in an order that crosses if it is kept.
    [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'f'],
      ['c', 'd'],
      ['b', 'g'],
      ['c', 'e'],
    ].map(([from = '', to = '']) => ({ from, to })),
    gaps,
  );
  const height = (id: string): number => tree.nodes.find((one) => one.id === id)?.y ?? Number.NaN;
  const isAbove = height('b') < height('c');
  for (const leaf of ['f', 'g']) for (const other of ['d', 'e']) assert.equal(height(leaf) < height(other), isAbove);

  const chain = layered(
    ['x', 'y', 'z'].map(node),
    [
      { from: 'x', to: 'y' },
      { from: 'y', to: 'z' },
    ],
    gaps,
  );
  assert.deepEqual(
    chain.nodes.map(({ y }) => y),
    [0, 0, 0],
  );
  assert.deepEqual([chain.width, chain.height], [230, 20]);
});

test('layered() of nothing is nothing', () => {
  assert.deepEqual(layered([], [], gaps), { width: 0, height: 0, nodes: [], edges: [] });
});
