import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runClosure, visibleTo } from '../../src/build/graph.ts';
import { type Package, definePackage } from '../../src/buildfile/package.ts';
import { cyclesAmong, meetings, reachable } from '../../src/buildfile/relations.ts';
import { autotools, debian } from '../../src/index.ts';

/** Random packages, each of which depends on earlier ones; few names, so that several are versions of one. */
const graphs = fc
  .array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      deps: fc.array(fc.nat(11)),
      buildDeps: fc.array(fc.nat(11)),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((rows) => {
    const packages: Package[] = [];
    const earlier = (indices: readonly number[]): Package[] =>
      [...new Set(indices)].flatMap((at) => packages[at] ?? []);
    for (const [at, { name, deps, buildDeps }] of rows.entries()) {
      packages.push(
        definePackage(name, {
          version: `${at}`,
          source: debian('zlib'),
          recipe: autotools(),
          deps: earlier(deps),
          buildDeps: earlier(buildDeps),
        }),
      );
    }
    return packages;
  });

const oneOfEachName = (packages: readonly Package[]): boolean =>
  new Set(packages.map(({ name }) => name)).size === packages.length;

test('meetings() is empty exactly when every prefix holds one version of each name', () => {
  fc.assert(
    fc.property(graphs, (packages) => {
      const prefixes = packages.flatMap((one) => [runClosure([one]), visibleTo(one)]);
      assert.equal(meetings(packages).length === 0, prefixes.every(oneOfEachName));
    }),
  );
});

test('meetings() shows two real ways, from the package where they part to two versions of one name', () => {
  fc.assert(
    fc.property(graphs, (packages) => {
      for (const { at, name, paths } of meetings(packages)) {
        const [one, other] = paths.map((path) => path.at(-1));
        assert.ok(one !== other && one?.name === name && other?.name === name);
        for (const path of paths) {
          assert.equal(path[0], at);
          for (const [step, next] of path.slice(1).entries()) {
            const from = path[step];
            assert.ok([...(from?.deps ?? []), ...(step === 0 ? (from?.buildDeps ?? []) : [])].includes(next));
          }
        }
      }
    }),
  );
});

test('packages that only depend on earlier ones are in no cycle, and are reached in the order of their definition', () => {
  fc.assert(
    fc.property(graphs, (packages) => {
      assert.deepEqual(cyclesAmong(packages), []);
      assert.deepEqual(reachable(packages.toReversed()), packages);
    }),
  );
});
