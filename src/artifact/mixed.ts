/** Artifacts that go into one prefix and were not made with one another (pure). */
import type { Manifest } from './manifest.ts';

/** An artifact that was compiled against another build of a dependency than the one beside it, both of the same key. */
export interface Mixed {
  /** Each `name@version`. */
  readonly package: string;
  readonly dependency: string;
  /** Digests of the dependency's trees: the one it was compiled against, and the one that is there. */
  readonly expected: string;
  readonly found: string;
}

/** A build that always gives the same bytes gives none of these; another one may, when its packages come from several builders. */
export function mixedAmong(manifests: readonly Manifest[]): Mixed[] {
  const there = new Map(manifests.map((one) => [idOf(one.package), one]));
  return manifests.flatMap(({ package: one, dependencies }) =>
    dependencies.flatMap((needed): Mixed[] => {
      const found = there.get(idOf(needed));
      return found === undefined || found.tree === needed.tree
        ? []
        : [{ package: idOf(one), dependency: idOf(needed), expected: needed.tree, found: found.tree }];
    }),
  );
}

const idOf = ({ name, version }: { readonly name: string; readonly version: string }): string => `${name}@${version}`;
