/** What the author of a Buildfile writes: packages, their dependencies as values, and the build that holds them. */
import type { S3Spec } from '../cache/s3-spec.ts';
import type { Recipe } from '../compile/recipe.ts';
import type { ToolName } from '../compile/tools.ts';
import type { PatchSpec } from '../patches/patch-spec.ts';
import type { SourceSpec } from '../sources/index.ts';

export interface PackageOptions {
  /** Upstream's version; together with the name it identifies the package. */
  readonly version: string;
  readonly source: SourceSpec;
  /** Applied in order to the pristine tree, strictly. */
  readonly patches?: PatchSpec;
  /** Packages that this one links with or loads: they reach the prefix with it. */
  readonly deps?: readonly Package[];
  /** Packages needed while compiling only. */
  readonly buildDeps?: readonly Package[];
  readonly recipe: Recipe;
  /** Tools beyond those that the recipe declares. */
  readonly tools?: readonly ToolName[];
  /** Globs, relative to the prefix, of installed files to leave out of the artifact. */
  readonly remove?: readonly string[];
  /** SONAMEs that the host provides and this package may need, beyond the C and C++ run-time libraries. */
  readonly hostLibraries?: readonly string[];
  /** Strip symbols that are not needed to run; true when not given. */
  readonly strip?: boolean;
}

export interface Package extends PackageOptions {
  readonly name: string;
}

export interface BuildOptions {
  readonly packages: readonly Package[];
  /** What `vbuild` without a target builds; all packages when not given. */
  readonly defaults?: readonly Package[];
  /** Cache tiers below the local disk, in the order in which they are asked. */
  readonly cache?: readonly S3Spec[];
}
