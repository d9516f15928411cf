/** Where what is published came from: the revision of the project, and whether an artifact rests on anything that it does not hold. */
import { join, resolve } from 'node:path';
import type { Revision } from '../artifact/manifest.ts';
import type { Package } from '../buildfile/package.ts';
import { sourceKind } from '../sources/index.ts';
import { checkoutOf } from '../system/checkout.ts';
import { exists } from '../system/files.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { directDependencies } from './graph.ts';

export interface Provenance {
  /** For the statement of an artifact; undefined outside of version control. */
  revision(one: Package): Revision | undefined;
  /** What an artifact rests on that no commit holds, in words; undefined when there is nothing. */
  unclean(one: Package): string | undefined;
}

/** What of the project decides artifacts. Paths are absolute. */
export interface ProjectFiles {
  readonly folder: string;
  /** The Buildfile and all that it imports. */
  readonly files: readonly string[];
}

/** Reads the state of the checkout once. What the lock file pins needs no commit: a pin is as good. */
export async function provenanceOf(
  { folder, files }: ProjectFiles,
  facts: Facts,
  options: { readonly environment: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
): Promise<Provenance> {
  const own = new Map([...facts.known].map(([one, known]) => [one, ownPaths(known, folder)]));
  const paths = [...new Set([...files, ...[...own.values()].flat()])];
  const checkout = await checkoutOf(folder, paths, options);
  const unclean = (one: Package): string | undefined => {
    if ('unknown' in checkout) return `the Buildfile is not under version control: ${checkout.unknown}`;
    const among = (which: readonly string[]): string | undefined => {
      const found = which.find((path) => checkout.unclean.has(path));
      return found === undefined ? undefined : `${found} is ${checkout.unclean.get(found)}`;
    };
    const mine = among([...files, ...(own.get(one) ?? [])]);
    if (mine !== undefined) return mine;
    for (const other of directDependencies(one)) {
      const theirs = unclean(other);
      if (theirs !== undefined) return theirs;
    }
    return undefined;
  };
  return {
    unclean,
    revision(one) {
      if ('unknown' in checkout) return undefined;
      const { commit } = checkout;
      const ref = refOf(options.environment, commit, checkout.ref);
      return { commit, clean: unclean(one) === undefined, ...(ref !== undefined && { ref }) };
    },
  };
}

/** Files and folders of the project that a package brings in by itself. */
const ownPaths = ({ package: { source, patches }, series }: PackageFacts, folder: string): string[] => [
  ...series.map(({ path }) => path),
  ...(typeof patches === 'string' ? seriesFiles(resolve(folder, patches)) : []),
  ...(sourceKind(source).current !== undefined && 'path' in source ? [resolve(folder, source.path)] : []),
];

const seriesFiles = (folder: string): string[] => [join(folder, 'series')].filter((path) => exists(path));

/**
 * The branch by its short name, another ref by its full one. A CI job's own variables tell, as far as they speak of the very commit that
 * is checked out, since most jobs check out no branch; else the branch that is checked out does.
 */
export function refOf(
  env: Readonly<Record<string, string | undefined>>,
  commit: string,
  checkedOut: string | undefined,
): string | undefined {
  const told =
    env['GITHUB_SHA'] === commit
      ? env['GITHUB_REF']
      : env['CI_COMMIT_SHA'] === commit && env['CI_COMMIT_BRANCH']
        ? `refs/heads/${env['CI_COMMIT_BRANCH']}`
        : undefined;
  return (told || checkedOut)?.replace(/^refs\/heads\//, '');
}
