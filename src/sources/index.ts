/** The list of source kinds; everything that asks what a source is or can do goes through here. */
import { type BazaarSpec, bazaarKind } from './bazaar.ts';
import { type DebianSpec, debianKind } from './debian.ts';
import { type DirectorySpec, directoryKind } from './directory.ts';
import { type GeneratedSpec, generatedKind } from './generated.ts';
import { type GitSpec, gitKind } from './git.ts';
import { type MercurialSpec, mercurialKind } from './mercurial.ts';
import { type NpmSpec, npmKind } from './npm.ts';
import type { SourceKind } from './source.ts';
import { type SubversionSpec, subversionKind } from './subversion.ts';
import { type TarballSpec, tarballKind } from './tarball.ts';

export type SourceSpec =
  | TarballSpec
  | GitSpec
  | MercurialSpec
  | SubversionSpec
  | BazaarSpec
  | NpmSpec
  | DebianSpec
  | GeneratedSpec
  | DirectorySpec;

/** Every kind; order is that of messages and of the conformance suite. */
export const sourceKinds = [
  tarballKind,
  gitKind,
  mercurialKind,
  subversionKind,
  bazaarKind,
  npmKind,
  debianKind,
  generatedKind,
  directoryKind,
] as const;

/** The kind of a spec, fit to be called with that spec. Its `kind` must have passed validation. */
export function sourceKind<Spec extends SourceSpec>(spec: Spec): SourceKind<Spec> {
  const found = sourceKinds.find(({ kind }) => kind === spec.kind);
  if (found === undefined)
    throw new Error(`no source kind ${JSON.stringify(spec.kind)}; validation lets none such through`);
  return found as unknown as SourceKind<Spec>;
}
