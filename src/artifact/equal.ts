/**
 * Early cutoff: an artifact that was made of the same to the byte is as good for another content key, when all that differs is how its
 * dependencies came to be (pure).
 */
import { dependencyPrefix, type Field, keyText, parseKeyText } from '../key/fields.ts';
import { digestOf, type EqualKey } from '../model/digest.ts';
import type { Against, Manifest } from './manifest.ts';

/** Everything of a key text that is a package's own. */
export const ownFields = (text: string): readonly (readonly [name: string, value: string])[] =>
  parseKeyText(text).filter(([name]) => !name.startsWith(dependencyPrefix));

/**
 * The key under which equal artifacts are found: SHA-256 of the key text in which the keys of the direct dependencies have given way to
 * the trees of all that is visible to the steps. What is only near by way of another dependency is there as well: its headers are seen.
 *
 * @param text    A key text.
 * @param against Everything that is visible, or was.
 * @returns Undefined where nothing is: then the content key says it all. Also where names clash, which is no work of ours.
 */
export function equalKey(text: string, against: readonly Against[] | undefined): EqualKey | undefined {
  if (against === undefined || against.length === 0) return undefined;
  const trees = against.map(({ name, tree, reachesPrefix }): [string, string] => [
    `${reachesPrefix ? 'tree' : 'build-tree'}.${name}`,
    tree,
  ]);
  const fields: Field[] = [['equal', '1'], ...ownFields(text), ...trees];
  if (new Set(fields.map(([name]) => name)).size < fields.length) return undefined;
  return digestOf(keyText(fields)) as string as EqualKey;
}

/** What an artifact is called by those who look for one that is equal. */
export const equalKeyOf = ({ keyText: text, against }: Manifest): EqualKey | undefined => equalKey(text, against);

/** The manifests of all that is visible while a package is compiled. */
export interface Dependencies {
  /** The declared run-time dependencies themselves. */
  readonly dependencies: readonly Manifest[];
  /** These and all of theirs: what will lie in one prefix with the package. */
  readonly closure: readonly Manifest[];
  /** What else is visible while it is compiled. */
  readonly buildOnly: readonly Manifest[];
}

/** What its own manifest says of them. */
export function restsOn({
  dependencies,
  closure,
  buildOnly,
}: Dependencies): Pick<Manifest, 'dependencies' | 'against'> {
  const visible = (reachesPrefix: boolean, manifests: readonly Manifest[]): Against[] =>
    manifests.map(({ package: { name }, tree }) => ({ name, tree, reachesPrefix }));
  const against = [...visible(true, closure), ...visible(false, buildOnly)];
  return {
    dependencies: dependencies.map(({ package: { name, version }, key, tree }) => ({ name, version, key, tree })),
    ...(against.length > 0 && { against: against.sort((a, b) => (a.name < b.name ? -1 : 1)) }),
  };
}

/** What an artifact is to be the artifact of, and how it was not compiled itself. */
export type Standing = Pick<Manifest, 'key' | 'keyText' | 'dependencies'> & { readonly against: readonly Against[] };

/**
 * The manifest of an artifact that stands in for another one, whole: it names the same body and the trees that it rests on. No commit is
 * known to have given its key.
 */
export function standIn({ statement, ...manifest }: Manifest, standing: Standing): Manifest {
  const { key, keyText: text, dependencies, against } = standing;
  const { revision: _, ...said } = statement ?? {};
  return {
    ...manifest,
    key,
    keyText: text,
    dependencies,
    against,
    ...(statement !== undefined && { statement: { ...said, source: statement.source } }),
  };
}

/** Names of the direct dependencies whose keys differ between two key texts that are equal otherwise. */
export function movedBetween(before: string, now: string): string[] {
  const was = new Map(parseKeyText(before));
  return parseKeyText(now).flatMap(([name, key]) =>
    name.startsWith(dependencyPrefix) && was.get(name) !== key ? [name.slice(dependencyPrefix.length)] : [],
  );
}
