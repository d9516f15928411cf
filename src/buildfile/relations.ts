/** What packages are to one another: closures, cycles, and two versions of one package where only one can be (pure). */
import { type Package, definitionOf, isPackage, packageId } from './package.ts';

/** Those elements of a list of any type that are packages. */
export const packagesOf = (list: unknown): Package[] =>
  Array.isArray(list) ? list.filter((one) => isPackage(one)) : [];

const runs = (one: Package): Package[] => packagesOf(one.deps);
const needs = (one: Package): Package[] => [...runs(one), ...packagesOf(one.buildDeps)];

/** Packages and all that they reach through dependencies of both kinds, in the order of the `definePackage` calls; cycles do no harm. */
export function reachable(from: readonly Package[]): Package[] {
  const found = new Set(from);
  // A set may grow while it is walked.
  for (const one of found) for (const other of needs(one)) found.add(other);
  return [...found].sort((a, b) => (definitionOf(a)?.sequence ?? 0) - (definitionOf(b)?.sequence ?? 0));
}

/** Cycles of dependencies, each as the packages in it in order; one for each dependency that closes a cycle. */
export function cyclesAmong(packages: readonly Package[]): Package[][] {
  const cycles: Package[][] = [];
  const done = new Set<Package>();
  // No recursion: a chain of packages may be longer than the stack is deep.
  const path: { readonly one: Package; readonly ahead: Iterator<Package> }[] = [];
  const places = new Map<Package, number>();
  const enter = (one: Package): void => {
    const at = places.get(one);
    if (at !== undefined) cycles.push(path.slice(at).map((step) => step.one));
    if (at !== undefined || done.has(one)) return;
    places.set(one, path.length);
    path.push({ one, ahead: new Set(needs(one)).values() });
  };
  for (const first of packages) {
    enter(first);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next = at.ahead.next();
      if (next.done !== true) {
        enter(next.value);
        continue;
      }
      path.pop();
      places.delete(at.one);
      done.add(at.one);
    }
  }
  return cycles;
}

/** Two versions of one package that would come to lie in one tree, each with the way that leads to it. */
interface MixedVersions {
  readonly name: string;
  readonly paths: readonly [Package[], Package[]];
}

/** The first pair of versions of each name among packages that share a prefix: `from` and what these need to run. */
export function mixedVersions(from: readonly Package[]): MixedVersions[] {
  // Which package led to each.
  const parents = new Map<Package, Package | undefined>(from.map((one) => [one, undefined]));
  for (const one of parents.keys()) for (const other of runs(one)) if (!parents.has(other)) parents.set(other, one);
  const pathTo = (one: Package): Package[] => {
    const path = [one];
    for (let at = parents.get(one); at !== undefined; at = parents.get(at)) path.unshift(at);
    return path;
  };
  const first = new Map<string, Package>();
  const mixed = new Map<string, MixedVersions>();
  for (const one of parents.keys()) {
    const earlier = first.get(one.name);
    if (earlier === undefined) first.set(one.name, one);
    else if (!mixed.has(one.name)) mixed.set(one.name, { name: one.name, paths: [pathTo(earlier), pathTo(one)] });
  }
  return [...mixed.values()];
}

/** Where two versions of a package meet: in the prefix of the package that is named, or in the private one that it compiles against. */
interface Meeting extends MixedVersions {
  readonly at: Package;
  readonly prefix: 'own' | 'private';
}

/** Every meeting, told only of the package where the ways come together, not again of all that depend on it. */
export function meetings(packages: readonly Package[]): Meeting[] {
  if (new Set(packages.map(({ name }) => name)).size === packages.length) return [];
  return packages.flatMap((at) => {
    const below = new Set(needs(at).flatMap((one) => mixedVersions([one]).map(({ name }) => name)));
    const fresh = (found: MixedVersions[]): MixedVersions[] => found.filter(({ name }) => !below.has(name));
    const own = fresh(mixedVersions([at]));
    const inOwn = new Set(own.map(({ name }) => name));
    const others = fresh(mixedVersions(needs(at))).filter(({ name }) => !inOwn.has(name));
    return [
      ...own.map((one): Meeting => ({ ...one, at, prefix: 'own' })),
      ...others.map(
        ({ name, paths: [a, b] }): Meeting => ({
          name,
          paths: [
            [at, ...a],
            [at, ...b],
          ],
          at,
          prefix: 'private',
        }),
      ),
    ];
  });
}

/** A way through the graph, as people read it: `pil@11.0.0 → tiff@4.5.0 → zlib@1.2.13`. */
export const pathText = (path: readonly Package[]): string => path.map(packageId).join(' → ');
