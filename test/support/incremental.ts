/** The property: whatever is changed between runs, an incremental build ends with what a clean one gives, and compiles nothing in vain. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Edit, edited, edits, graphs, setTimes } from './edits.ts';
import { insistOnSuccess } from './events.ts';
import { type Installed, type Project, projectAt } from './project.ts';
import { removeTree } from './temp.ts';
import { resultOf, type TinyPackage, tinyProject, writeTiny } from './tiny.ts';

/** Content keys of the artifacts that lie in the cache, and what each was made of. */
type Known = Set<string>;

/** What a package is made of, whatever the keys of its dependencies are: all that is its own, and the trees that it sees. */
function madeOf(one: TinyPackage, packages: readonly TinyPackage[], installed: Installed): string {
  const seen = new Set<string>();
  const see = (names: readonly string[]): void => {
    for (const name of names) {
      seen.add(name);
      see(packages.find((other) => other.name === name)?.deps ?? []);
    }
  };
  see(one.deps);
  const trees = [...seen].sort().map((name) => [name, installed[name]?.tree]);
  return JSON.stringify([
    one.name,
    one.source,
    one.patched,
    one.word,
    one.said,
    one.unsaid,
    [...one.deps].sort(),
    trees,
  ]);
}

/** Runs vbuild and checks what it did against what was known before. */
async function buildIncrementally(site: Project, packages: readonly TinyPackage[], known: Known): Promise<void> {
  const run = insistOnSuccess(await site.build(['-j2']));
  const compiled = run.stages
    .filter((stage) => stage.endsWith(' compile'))
    .map((stage) => stage.slice(0, -' compile'.length));
  const installed = site.installed();
  const keys = Object.entries(installed).map(([name, { version, key }]) => [`${name}@${version}`, key] as const);
  for (const [id, key] of keys) if (known.has(key)) assert.ok(!compiled.includes(id), `${id} was compiled in vain`);
  const made = packages.map((one) => [`${one.name}@1`, madeOf(one, packages, installed)] as const);
  for (const [id, what] of made)
    if (known.has(what)) assert.ok(!compiled.includes(id), `${id} was compiled although all it sees came out equal`);
  for (const id of compiled)
    assert.ok(
      keys.some(([other]) => other === id),
      `${id} was compiled and is not wanted`,
    );
  const worked = new Set(run.stages.map((stage) => stage.split(' ')[0] ?? ''));
  for (const id of worked)
    assert.ok(compiled.includes(id), `${id} was worked on and not compiled: ${run.stages.join(', ')}`);
  for (const [id, key] of keys) if (compiled.includes(id)) known.add(key);
  for (const [id, what] of made) if (compiled.includes(id)) known.add(what);
  const again = insistOnSuccess(await site.build(['-j2']));
  assert.deepEqual([again.stages, again.installs], [[], 0], 'a second run has nothing to do');
}

async function clean(top: string, packages: readonly TinyPackage[]): Promise<unknown> {
  const folder = mkdtempSync(join(top, 'clean-'));
  const site = tinyProject(folder, packages);
  insistOnSuccess(await site.run(['-j1']));
  const result = resultOf(site);
  removeTree(folder);
  return result;
}

async function holds(top: string, packages: readonly TinyPackage[], changes: readonly Edit[]): Promise<void> {
  const folder = mkdtempSync(join(top, 'case-'));
  const site = tinyProject(folder, packages);
  const known: Known = new Set();
  const states: (readonly TinyPackage[])[] = [packages];
  let order: readonly string[] = packages.map(({ name }) => name);
  await buildIncrementally(site, packages, known);
  for (const change of changes) {
    const now = states.at(-1) ?? packages;
    const next = change.kind === 'back' ? (states.at(-1 - change.states) ?? packages) : edited(now, change);
    states.push(next);
    if (change.kind === 'order')
      order = [...order.slice(change.by % order.length), ...order.slice(0, change.by % order.length)];
    if (change.kind === 'lose') {
      const what = {
        work: [site.path, '.vbuild'],
        cache: [site.home, '.cache'],
        prefix: [site.path, 'vendor'],
      } as const;
      removeTree(join(...what[change.what]));
      if (change.what === 'cache') known.clear();
    }
    if (change.kind === 'times') setTimes(site.path, change.seconds);
    else writeTiny(site.path, next, order);
    await buildIncrementally(site, next, known);
  }
  assert.deepEqual(resultOf(projectAt(site.path, site.home)), await clean(top, states.at(-1) ?? packages));
  removeTree(folder);
}

/** @param seed Printed by the caller; with it a failure can be repeated. */
export async function insistOnProperty(top: string, runs: number, seed: number): Promise<void> {
  mkdirSync(top, { recursive: true });
  await fc.assert(
    fc.asyncProperty(graphs, fc.array(edits, { minLength: 1, maxLength: 5 }), (packages, changes) =>
      holds(top, packages, changes),
    ),
    { numRuns: runs, seed, endOnFailure: process.env['CI'] !== undefined },
  );
}
