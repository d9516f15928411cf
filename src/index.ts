/** All that a Buildfile may import: `import { definePackage, tarball, autotools } from 'vbuild'`. */
export { defineBuild, definePackage } from './buildfile/package.ts';
export type { BuildDefinition, BuildOptions, Package, PackageOptions } from './buildfile/package.ts';

export { bazaar } from './sources/bazaar.ts';
export { debian } from './sources/debian.ts';
export { directory } from './sources/directory.ts';
export { generated } from './sources/generated.ts';
export { git } from './sources/git.ts';
export { mercurial } from './sources/mercurial.ts';
export { mirror } from './sources/mirror-spec.ts';
export { npm } from './sources/npm.ts';
export { subversion } from './sources/subversion.ts';
export { tarball } from './sources/tarball.ts';
export type { BazaarOptions, BazaarSpec } from './sources/bazaar.ts';
export type { DebianSpec } from './sources/debian.ts';
export type { DirectorySpec } from './sources/directory.ts';
export type { GeneratedOptions, GeneratedSpec } from './sources/generated.ts';
export type { GitOptions, GitSpec } from './sources/git.ts';
export type { SourceSpec } from './sources/index.ts';
export type { MercurialOptions, MercurialSpec } from './sources/mercurial.ts';
export type { MirrorOptions, MirrorRule } from './sources/mirror-spec.ts';
export type { NpmSpec } from './sources/npm.ts';
export type { SubversionOptions, SubversionSpec } from './sources/subversion.ts';
export type { ArchiveOptions, FurtherArchive, Signature, TarballOptions, TarballSpec } from './sources/tarball.ts';

export type { PatchEntry, PatchSpec } from './patches/patch-spec.ts';

export { autotools } from './compile/autotools.ts';
export { cmake } from './compile/cmake.ts';
export { make } from './compile/make.ts';
export { meson } from './compile/meson.ts';
export { python } from './compile/python.ts';
export { place } from './compile/recipe.ts';
export { steps } from './compile/steps.ts';
export type { AutotoolsOptions } from './compile/autotools.ts';
export type { CmakeOptions } from './compile/cmake.ts';
export type { MakeOptions } from './compile/make.ts';
export type { MesonOptions } from './compile/meson.ts';
export type { PythonOptions } from './compile/python.ts';
export type { CommonOptions, Recipe, Step, StepCommand, StepGroup } from './compile/recipe.ts';
export type { StepsOptions } from './compile/steps.ts';
export type { ToolName } from './compile/tools.ts';

export { directoryCache } from './cache/directory-spec.ts';
export { httpCache } from './cache/http-spec.ts';
export { s3 } from './cache/s3-spec.ts';
export type { CacheSpec } from './cache/cache-spec.ts';
export type { DirectoryCacheSpec } from './cache/directory-spec.ts';
export type { HttpCacheSpec } from './cache/http-spec.ts';
export type { TrustedKey, TrustOptions, TrustRequirement } from './cache/trust-spec.ts';
export type { S3Spec } from './cache/s3-spec.ts';
