/** What the author of a Buildfile writes: packages, their dependencies as values, and the build that holds them. */
import { fileURLToPath } from 'node:url';
import type { CacheSpec } from '../cache/cache-spec.ts';
import type { TrustOptions } from '../cache/trust-spec.ts';
import type { Recipe } from '../compile/recipe.ts';
import type { ToolName } from '../compile/tools.ts';
import type { PatchSpec } from '../patches/patch-spec.ts';
import type { SourceSpec } from '../sources/index.ts';
import type { MirrorRule } from '../sources/mirror-spec.ts';

export interface PackageOptions {
  /**
   * Upstream's version; together with the name it identifies the package. Letters, digits and `. + ~ -`, a letter or digit
   * first. A source that knows its upstream's version (`debian`) insists on this one.
   */
  readonly version: string;
  /**
   * Where the pristine tree comes from: what `tarball()`, `git()`, `debian()`, `mercurial()`, `subversion()`, `bazaar()`, `npm()`,
   * `generated()` or `directory()` returns.
   */
  readonly source: SourceSpec;
  /**
   * Applied in order to the pristine tree, strictly: a folder, relative to the Buildfile's folder, with a `series` file or
   * else with `*.patch` files taken in code-unit order; or a list of files. None when not given.
   */
  readonly patches?: PatchSpec;
  /**
   * Packages that this one links with or loads: they reach the prefix with it. Also those that are not listed in the
   * build's `packages` become part of the build. One prefix holds one version of each name.
   */
  readonly deps?: readonly Package[];
  /** Packages needed while compiling only: they and their own `deps` are in the private prefix, none of them is installed. */
  readonly buildDeps?: readonly Package[];
  /** How it is compiled: what `autotools()`, `cmake()`, `meson()`, `make()`, `python()` or `steps()` returns. */
  readonly recipe: Recipe;
  /** Tools beyond those that the recipe declares; their versions are pinned for each platform and count in the content key. */
  readonly tools?: readonly ToolName[];
  /**
   * Globs, relative to the prefix, of installed files to leave out of the artifact, such as `share/doc/**`; a folder stands for all that is
   * in it. One that names nothing is a warning.
   */
  readonly remove?: readonly string[];
  /**
   * Globs, relative to the prefix, of binary files into which the prefix is compiled and which use it as the beginning of paths alone. At
   * install the real prefix, filled up with slashes, takes its place; one that is longer than the placeholder is refused.
   */
  readonly prefixInBinaries?: readonly string[];
  /** SONAMEs that the host provides and this package may need, beyond the C and C++ run-time libraries, such as `libX11.so.6`. */
  readonly hostLibraries?: readonly string[];
  /** Lets its steps reach the network, which they cannot where they are locked in; false when not given. What they fetch is pinned by nothing. */
  readonly network?: boolean;
  /** Strip symbols that are not needed to run; true when not given. */
  readonly strip?: boolean;
}

/** A node of the graph, plain data; its identity is its name plus its version. Made by `definePackage` only. */
export interface Package extends PackageOptions {
  readonly name: string;
}

export interface BuildOptions {
  /** What can be built; what they depend on is part of the build without being listed. */
  readonly packages: readonly Package[];
  /** What `vbuild` without a target builds; all of `packages` when not given. */
  readonly defaults?: readonly Package[];
  /** Cache tiers below the local disk, in the order in which they are asked; none when not given. */
  readonly cache?: readonly CacheSpec[];
  /** Other places to look for what sources name, each made by `mirror()`, in the order in which they are asked; none when not given. */
  readonly mirrors?: readonly MirrorRule[];
  /**
   * Platforms whose artifacts this host may use, in the order in which they are tried, such as `linux-x64-glibc debian-11`: the first one
   * of which the caches have all that is needed, fit for this host. What is built is built for this host's own, which always counts as
   * the last of them; only its own when not given.
   */
  readonly platforms?: readonly string[];
  /**
   * Whose artifacts are taken from caches, and what must be said of them; any that nobody signed when not given. What this user packed
   * on this machine is always taken.
   */
  readonly trust?: TrustOptions;
}

/** What a Buildfile exports by default: as written, not yet checked. Made by `defineBuild` only. */
export interface BuildDefinition extends BuildOptions {}

/** A checked build, as plain data. */
export interface Build {
  /** Everything reachable from the listed packages, in the order of the `definePackage` calls. */
  readonly packages: readonly Package[];
  readonly defaults: readonly Package[];
  readonly cache: readonly CacheSpec[];
  readonly mirrors: readonly MirrorRule[];
  readonly platforms?: readonly string[];
  readonly trust?: TrustOptions;
}

/**
 * Defines a package. The value is how other packages name it as a dependency. Several calls may give one name, if each
 * gives another version: different prefixes can then hold different ones.
 *
 * Nothing is checked here, and nothing thrown, so that every mistake in a Buildfile can be listed at once when it has been read: as
 * `buildfile-invalid`, each with the file and line of this call. Relative paths start at the folder of the Buildfile, also where the call
 * stands in a file of another folder that the Buildfile imports.
 *
 * @param name Small letters, digits and `. + -`, a letter or digit first; not the name of one of vbuild's commands.
 */
export function definePackage(name: string, options: PackageOptions): Package {
  const value = Object.freeze({ ...options, name });
  definitions.set(value, definition('package', options, definePackage));
  return value;
}

/**
 * Puts packages together into a build; a Buildfile exports the result as its default.
 *
 * Nothing is checked here, and nothing thrown; see `definePackage`. What only all packages together show is found in the same way: cycles,
 * two packages of one name and version, and what one prefix cannot hold.
 */
export function defineBuild(options: BuildOptions): BuildDefinition {
  const value = Object.freeze({ ...options });
  definitions.set(value, definition('build', options, defineBuild));
  return value;
}

/** What is known of a value that `definePackage` or `defineBuild` made; kept aside, so that the values stay plain data. */
export interface Definition {
  readonly kind: 'package' | 'build';
  /** The options as they were given, of whatever type. */
  readonly given: unknown;
  /** Where the author's call stands: an absolute path and a 1-based line. */
  readonly file: string;
  readonly line: number;
  /** Grows with every call in this process. */
  readonly sequence: number;
}

const definitions = new WeakMap<object, Definition>();
let sequence = 0;

/** `undefined` for anything that neither `definePackage` nor `defineBuild` made. */
export function definitionOf(value: unknown): Definition | undefined {
  return typeof value === 'object' && value !== null ? definitions.get(value) : undefined;
}

/** Whether a value of unknown type is a package. */
export const isPackage = (value: unknown): value is Package => definitionOf(value)?.kind === 'package';

/** `name@version`, as people and events name a package. */
export const packageId = ({ name, version }: Pick<Package, 'name' | 'version'>): string => `${name}@${version}`;

/** @param through The function that the author called. */
function definition(kind: Definition['kind'], given: unknown, through: (...given: never[]) => unknown): Definition {
  const trace: { readonly stack?: unknown } = {};
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(trace, through);
  Error.stackTraceLimit = before;
  let place: Place | undefined;
  const placeNow = (): Place => (place ??= placeIn(trace));
  return {
    kind,
    given,
    sequence: (sequence += 1),
    get file() {
      return placeNow().file;
    },
    get line() {
      return placeNow().line;
    },
  };
}

type Place = Pick<Definition, 'file' | 'line'>;

/** Worked out when it is asked for: in a long Buildfile, finding the line of every call takes longer than all the rest of reading it. */
function placeIn(trace: { readonly stack?: unknown }): Place {
  const before = Reflect.get<ErrorConstructor, 'prepareStackTrace'>(Error, 'prepareStackTrace');
  Error.prepareStackTrace = (_, sites) => sites[0];
  try {
    const site = trace.stack as NodeJS.CallSite | undefined;
    const script = site?.getFileName() ?? '';
    return { file: script.startsWith('file:') ? fileURLToPath(script) : script, line: site?.getLineNumber() ?? 0 };
  } finally {
    Error.prepareStackTrace = before;
  }
}
