/** All that a Buildfile may import: `import { definePackage, tarball, autotools } from 'vbuild'`. */
export { defineBuild, definePackage } from './buildfile/package.ts';
export type { BuildDefinition, BuildOptions, Package, PackageOptions } from './buildfile/package.ts';

export { debian } from './sources/debian.ts';
export { directory } from './sources/directory.ts';
export { git } from './sources/git.ts';
export { tarball } from './sources/tarball.ts';
export type { DebianSpec } from './sources/debian.ts';
export type { DirectorySpec } from './sources/directory.ts';
export type { GitOptions, GitSpec } from './sources/git.ts';
export type { SourceSpec } from './sources/index.ts';
export type { TarballOptions, TarballSpec } from './sources/tarball.ts';

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

export { s3 } from './cache/s3-spec.ts';
export type { S3Spec } from './cache/s3-spec.ts';
