// biome-ignore-all format: made from src/index.ts by test/types/typings.ts
/** All that a Buildfile may import from vbuild. */
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
export interface BuildDefinition extends BuildOptions {
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
export declare function definePackage(name: string, options: PackageOptions): Package;
/**
 * Puts packages together into a build; a Buildfile exports the result as its default.
 *
 * Nothing is checked here, and nothing thrown; see `definePackage`. What only all packages together show is found in the same way: cycles,
 * two packages of one name and version, and what one prefix cannot hold.
 */
export declare function defineBuild(options: BuildOptions): BuildDefinition;
export interface BazaarSpec {
    readonly kind: 'bazaar';
    readonly url: string;
    readonly rev: string;
    readonly subdir?: string;
}
export interface BazaarOptions {
    /** The name of a tag, `revno:` and a revision number such as `revno:42`, or `revid:` and a full revision id, which is what is pinned. */
    readonly rev: string;
    /** The folder of the branch that is the source. */
    readonly subdir?: string;
}
/**
 * A Bazaar branch, read by Breezy's `brz`. Breezy's own files (`.bzrignore` and the like) are left out, as `brz export` does.
 *
 * Bringing it may end with `vcs-failed`, `source-missing`, `pin-mismatch`, `archive-refused`, `tool-missing`, and under `--offline` with
 * `download-failed`.
 *
 * @param url A `bzr:`, `bzr+ssh:`, `sftp:`, `http:`, `https:` or `file:` URL, or a path; a relative one starts at the Buildfile.
 */
export declare const bazaar: (url: string, options: BazaarOptions) => BazaarSpec;
export interface DebianSpec {
    readonly kind: 'debian';
    /** Name of the source package, which is not always that of the binary package (`zlib`, not `zlib1g`). */
    readonly name: string;
    /** Whether Debian's own patches are applied, before those of the Buildfile. */
    readonly patches: boolean;
    /** Debian's full version (`1:2.1.5-2`); when not given, the newest one that has the package's upstream version. */
    readonly version?: string;
}
/**
 * A source package of the distribution, as the machine's own apt configuration serves it; Debian's patches only when asked for.
 *
 * Bringing it may end with `debian-source` where apt does not offer it in the version of the package, `source-missing` where the pinned one
 * is not to be had, `download-failed`, `pin-mismatch`, `archive-refused`, and `tool-missing` without apt.
 *
 * @param name Of the source package, which is not always that of the binary package (`zlib`, not `zlib1g`).
 */
export declare const debian: (name: string, options?: {
    readonly patches?: boolean;
    readonly version?: string;
}) => DebianSpec;
export interface DirectorySpec {
    readonly kind: 'directory';
    /** Absolute, or relative to the folder of the Buildfile. */
    readonly path: string;
}
/**
 * A folder of the project. All of it is the source, symlinks kept as they are, but for what version control
 * and vbuild keep for themselves: `.git`, `.hg`, `.svn` and `.vbuild` on every level. What else is not to be copied belongs outside of the folder.
 *
 * Where it is not there, even looking at the package ends with `source-missing`; what no tree may hold is `archive-refused`.
 *
 * @param path Absolute, or relative to the folder of the Buildfile.
 */
export declare const directory: (path: string) => DirectorySpec;
/** An argument vector; or one string, run by `bash -eu -o pipefail -c`. */
type GeneratedStep = readonly string[] | string;
export interface GeneratedSpec {
    readonly kind: 'generated';
    readonly steps: readonly GeneratedStep[];
    readonly tools?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly pass?: readonly string[];
    readonly tree?: string;
}
export interface GeneratedOptions {
    /** Run one after another in a folder that is empty at first; what lies there at the end is the source. They may use the network. */
    readonly steps: readonly GeneratedStep[];
    /** Programs that the steps call; looked for before the first one runs. */
    readonly tools?: readonly string[];
    /** Variables that the steps see, beside the standard ones (PATH of the system, HOME and TMPDIR of their own, LC_ALL=C.UTF-8, TZ=UTC, the proxy variables). */
    readonly env?: Readonly<Record<string, string>>;
    /** Names of variables of the user's that the steps see as well, such as `SSH_AUTH_SOCK`. */
    readonly pass?: readonly string[];
    /** SHA-256 of the tree, as the lock file has it; what comes first is pinned when not given. */
    readonly tree?: string;
}
/**
 * A source that no other kind knows. The steps run when it is pinned (and again only where the tree is lost), never under `--offline`;
 * a tree that differs from the pinned one is refused. `$BUILDFILE_FOLDER` is the folder of the Buildfile, for scripts of the project.
 *
 * Bringing it may end with `step-failed`, `tool-missing`, `pin-mismatch`, `archive-refused` for what no tree may hold, and under `--offline`
 * with `download-failed`.
 */
export declare const generated: (options: GeneratedOptions) => GeneratedSpec;
export interface GitSpec {
    readonly kind: 'git';
    readonly url: string;
    readonly rev: string;
    readonly subdir?: string;
    readonly submodules?: boolean;
    readonly lfs?: boolean;
}
export interface GitOptions {
    /** A tag, a branch, or a full commit id. What a tag or branch stands for is looked up once; the commit is what is pinned. */
    readonly rev: string;
    /** The folder of the repository that is the source. */
    readonly subdir?: string;
    /** Whether submodules are part of the source; false when not given, and then their folders are left out with a warning. */
    readonly submodules?: boolean;
    /** Whether files that are kept in Git LFS are brought; false when not given, and then their pointers stay in their places, with a warning. */
    readonly lfs?: boolean;
}
/**
 * A git repository.
 *
 * Bringing it may end with `git-failed`, with `source-missing` for a rev, commit, folder or file of Git LFS that is not there, with
 * `pin-mismatch` where the rev stands for another commit now and the pinned one is gone, with `archive-refused` for a name that no tree may
 * hold, with `download-failed` under `--offline`, and with `tool-missing`.
 *
 * @param url Anything that `git fetch` takes, but what runs a program (`ext::`); also a path, of which a relative one starts at the folder of
 *            the Buildfile.
 */
export declare const git: (url: string, options: GitOptions) => GitSpec;
export interface MercurialSpec {
    readonly kind: 'mercurial';
    readonly url: string;
    readonly rev: string;
    readonly subdir?: string;
}
export interface MercurialOptions {
    /** A tag, a bookmark, a branch, or a full changeset hash. What a name stands for is looked up once; the changeset is what is pinned. */
    readonly rev: string;
    /** The folder of the repository that is the source. */
    readonly subdir?: string;
}
/**
 * A Mercurial repository. Subrepositories and large files are left out, as they are no part of the changeset.
 *
 * Bringing it may end with `vcs-failed`, `source-missing`, `pin-mismatch`, `archive-refused`, `tool-missing`, and under `--offline` with
 * `download-failed`.
 *
 * @param url An `http:`, `https:`, `ssh:` or `file:` URL, or a path; a relative one starts at the Buildfile.
 */
export declare const mercurial: (url: string, options: MercurialOptions) => MercurialSpec;
export interface MirrorOptions {
    /**
     * Where the mirror is: an `http:`, `https:`, `file:` or, for archives, `s3:` URL, a folder (absolute, or relative to that of the
     * Buildfile), or for a repository whatever its tool takes.
     */
    readonly to: string;
    /** Whether it is asked `before` the place that the Buildfile names, or `after` that one failed; `before` when not given. */
    readonly when?: 'before' | 'after';
    /**
     * How things are called there: by `name`, so that what stands behind `from` in a URL stands behind `to`; or by `digest`, each
     * archive under its SHA-256 as 64 hexadecimal digits. `name` when not given.
     */
    readonly by?: 'name' | 'digest';
}
export interface MirrorRule extends MirrorOptions {
    readonly kind: 'mirror';
    readonly from: string;
}
/**
 * A mirror of all that lies below a URL. Several rules are asked in the order of the Buildfile. What comes from a mirror must be what is
 * pinned, to the byte; what has no pin yet is believed as if the place itself had answered. A mirror that fails is passed over: a run ends
 * with the error of the place itself, but for `pin-mismatch`, of which the first one is told.
 *
 * @param from The beginning of URLs as sources in the Buildfile have them, up to a slash or a colon, such as `https://github.com/`.
 */
export declare const mirror: (from: string, options: MirrorOptions) => MirrorRule;
export interface NpmSpec {
    readonly kind: 'npm';
    readonly name: string;
    readonly version: string;
}
/**
 * The tarball of one exact version of an npm package, without what it depends on; none of its scripts is run. Registry, credentials,
 * proxies and authorities are those of npm's own configuration, as `npm config list` shows it in the Buildfile's folder.
 *
 * Bringing it may end with `npm-failed`, `source-missing`, `archive-refused`, `tool-missing`, with `pin-mismatch` for other bytes than the
 * registry states or the lock file pins, and under `--offline` with `download-failed`.
 */
export declare const npm: (name: string, version: string) => NpmSpec;
export interface SubversionSpec {
    readonly kind: 'subversion';
    readonly url: string;
    readonly rev?: number;
    readonly subdir?: string;
}
export interface SubversionOptions {
    /** Number of the revision; the newest one that changed the folder is pinned when not given. */
    readonly rev?: number;
    /** The folder below the URL that is the source. */
    readonly subdir?: string;
}
/**
 * A folder of a Subversion repository, such as a tag. Bytes are as stored: keywords (`$Id$`) are not expanded, since what they
 * expand to depends on the server that is asked. Externals are left out, as they are not of that revision.
 *
 * Bringing it may end with `vcs-failed`, `source-missing`, `archive-refused`, `tool-missing`, with `pin-mismatch` where another repository
 * is in the place of the pinned one, and under `--offline` with `download-failed`.
 *
 * @param url An `http:`, `https:`, `svn:`, `svn+ssh:` or `file:` URL of the folder, or the path of a repository or a folder in one;
 *   a relative path starts at the Buildfile.
 */
export declare const subversion: (url: string, options?: SubversionOptions) => SubversionSpec;
/** A detached signature by which upstream vouches for an archive; verified whenever the archive is pinned. */
export type Signature = {
    /** Public keys of upstream, a file relative to the Buildfile: what `gpg --export` writes, armoured or not. */
    readonly keyring: string;
    /** Where the signature is; the archive's own place with `.asc` behind it when not given. */
    readonly url?: string;
} | {
    /** Upstream's minisign key: the line of base64 that `minisign -P` takes. */
    readonly minisignKey: string;
    /** Where the signature is; the archive's own place with `.minisig` behind it when not given. */
    readonly url?: string;
};
export interface ArchiveOptions {
    /** SHA-256 of the archive; what comes first is pinned when not given. */
    readonly sha256?: string;
    /** Leading path parts to drop from the names in it; a top folder that holds everything is dropped when not given. */
    readonly strip?: number;
    /** The folder of the archive, after `strip`, that is the source. */
    readonly subdir?: string;
    /** Insists on a signature; without it the first download is taken as it comes. */
    readonly signature?: Signature;
}
/** One more archive, unpacked into the same tree. */
export interface FurtherArchive extends ArchiveOptions {
    /** As for the first one. */
    readonly from: string | readonly string[];
    /** The folder of the tree that it is unpacked into, `.` for the top; it may be there already, as long as no file is in both archives. */
    readonly into: string;
}
export interface TarballOptions extends ArchiveOptions {
    /** Archives that upstream publishes beside the first one and expects to be unpacked into its tree, in this order. */
    readonly also?: readonly FurtherArchive[];
}
interface ArchiveSpec extends ArchiveOptions {
    /** Places of one and the same archive, asked in this order: `http:`, `https:`, `s3:` or `file:` URLs, or paths relative to the Buildfile. */
    readonly from: readonly string[];
}
interface FurtherSpec extends ArchiveSpec {
    readonly into: string;
}
export interface TarballSpec extends ArchiveSpec {
    readonly kind: 'tarball';
    readonly also?: readonly FurtherSpec[];
}
/**
 * An archive: .tar (plain, .gz, .bz2, .xz, .zst, .lz) or .zip.
 *
 * Bringing it may end with `source-missing`, `download-failed` or `disk-trouble`; `pin-mismatch` for other bytes than the pinned ones or
 * those of `sha256`, `signature-refused`, `archive-refused`, and `tool-missing` where a program that unpacks or verifies it is not here.
 *
 * @param from One place or several mirrors, asked in order: `http:`, `https:`, `s3:` or `file:` URLs, or paths relative to the folder of
 *             the Buildfile.
 */
export declare const tarball: (from: string | readonly string[], { also, ...options }?: TarballOptions) => TarballSpec;
export type SourceSpec = TarballSpec | GitSpec | MercurialSpec | SubversionSpec | BazaarSpec | NpmSpec | DebianSpec | GeneratedSpec | DirectorySpec;
/** How a Buildfile names patches. */
export interface PatchEntry {
    /** Path of the patch, relative to the Buildfile's folder. */
    readonly file: string;
    /** Leading path parts to drop from the names in it; 1 when not given. */
    readonly strip?: number;
}
/** A folder (with a `series` file, else its `*.patch` in code-unit order), relative to the Buildfile's folder; or an explicit list. */
export type PatchSpec = string | readonly (string | PatchEntry)[];
export interface AutotoolsOptions extends CommonOptions {
    /** Arguments for configure after the standard ones, such as `--without-x`. One that configure does not know is an error. */
    readonly configure?: readonly string[];
    /**
     * Makes configure anew with autoreconf first: for an archive without one, and wherever a patch touches `configure.ac`,
     * `*.m4` or `Makefile.am`, which may be without effect otherwise.
     */
    readonly autoreconf?: boolean;
    /** Where to configure and build, relative to the tree, such as `../build`; in the tree itself when not given. */
    readonly buildDir?: string;
    /** Also runs `make check`. */
    readonly check?: boolean;
}
/** `autoreconf` if asked for, `configure`, `make`, `make install`: shared libraries only. */
export declare function autotools(options?: AutotoolsOptions): Recipe;
export interface CmakeOptions extends CommonOptions {
    /** Arguments for cmake after the standard ones, such as `-DBUILD_DOC=OFF`. A `-D` that nothing reads is an error. */
    readonly configure?: readonly string[];
    /** Where to build, relative to the tree; `../build` when not given. */
    readonly buildDir?: string;
    /** The folder with the top CMakeLists.txt, relative to the tree; the tree itself when not given. */
    readonly sourceDir?: string;
    /** Also runs `ctest`. */
    readonly check?: boolean;
}
/** `cmake`, `make`, `make install`, outside the tree: shared libraries, no build type. A package in C++ adds the tool `cxx`. */
export declare function cmake(options?: CmakeOptions): Recipe;
export interface MakeOptions extends CommonOptions {
    /** The whole command that configures, such as `['./configure', `--prefix=${place.prefix}`]`; none when not given. */
    readonly configure?: readonly string[];
    /** What make builds; its first target when not given. */
    readonly targets?: readonly string[];
    /** What make installs; `['install']` when not given. */
    readonly install?: readonly string[];
    /** Set on make's command line, for building and installing alike, such as `{ PREFIX: place.prefix }`; makes below it see them too. */
    readonly variables?: Readonly<Record<string, string>>;
    /** The folder with the makefile, relative to the tree; the tree itself when not given. */
    readonly buildDir?: string;
    /** Also runs `make check`. */
    readonly check?: boolean;
}
/** The command given as `configure`, then `make` and `make install`, both with no more variables than given and DESTDIR. */
export declare function make(options?: MakeOptions): Recipe;
export interface MesonOptions extends CommonOptions {
    /** Arguments for `meson setup` after the standard ones, such as `-Ddocs=disabled`. */
    readonly configure?: readonly string[];
    /** Where to build, relative to the tree; `../build` when not given. */
    readonly buildDir?: string;
    /** Also runs `meson test`. */
    readonly check?: boolean;
}
/**
 * `meson setup`, `ninja`, `meson install`, outside the tree: shared libraries, no build type, nothing downloaded. Features that
 * Meson would switch on by what the host happens to have are off unless `configure` switches them on.
 */
export declare function meson(options?: MesonOptions): Recipe;
export interface PythonOptions extends CommonOptions {
    /** Settings for the build backend, passed by pip as `--config-settings NAME=VALUE`. */
    readonly configSettings?: Readonly<Record<string, string>>;
    /** Entries to set in the tree's `setup.cfg`, by section and name, such as `{ build_ext: { 'disable-xcb': '1' } }`. */
    readonly setupCfg?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    /** Whether it is all Python: needs no compiler then. */
    readonly pure?: boolean;
}
/** `pip wheel` with what is declared and nothing else, then its content into `lib/PYTHON/site-packages`, with `.pyc` files that are the same every time. */
export declare function python(options?: PythonOptions): Recipe;
/** Stands for places that differ from build to build; replaced in steps and environment when they run, kept as they are in the content key. */
export declare const place: {
    /** The private prefix: the declared closure is merged here, and `--prefix` names it. */
    readonly prefix: '@prefix@';
    /** DESTDIR: what is installed lands in `@stage@@prefix@`. */
    readonly stage: '@stage@';
    /** The package's own copy of its patched tree; steps start here. */
    readonly tree: '@tree@';
    /** The folder above `tree`, for build folders outside the tree. */
    readonly root: '@root@';
    /** How many jobs the step may run at once; never part of the key. */
    readonly jobs: '@jobs@';
    /** `python3.11` or what the pinned python3 is called. */
    readonly python: '@python@';
};
export type StepGroup = 'prepare' | 'configure' | 'build' | 'check' | 'install';
/** An argument vector; or one string, run by `bash -eu -o pipefail -c`. */
export type StepCommand = readonly string[] | string;
export interface Step {
    /** What it is for, in logs and for `--from`; steps run in their order in the list, whatever their groups. */
    readonly group: StepGroup;
    readonly run: StepCommand;
    /** Where it runs, relative to the tree, not above the folder that holds the tree; made if it is not there. The tree itself when not given. */
    readonly in?: string;
    /** Seconds that it may take before it is ended, with all that it started; as long as it likes when not given. Never part of the key. */
    readonly timeout?: number;
    /** Seconds that it may print nothing before it is ended in the same way. Never part of the key. */
    readonly silentTimeout?: number;
}
/** A mistake in a recipe: a clause, or what was to be there and what was, with how to mend it where that is known. */
type RecipeProblem = string | {
    readonly expected: string;
    readonly found: string;
    readonly mend?: string;
};
export interface Recipe {
    /** The function that it came from, for people: `autotools`, `cmake`, `meson`, `make`, `python`, `steps`. */
    readonly kind: string;
    readonly steps: readonly Step[];
    /** Added to the standard environment, or in place of its values. */
    readonly env: Readonly<Record<string, string>>;
    /** Programs that the steps call beyond the POSIX ones. */
    readonly tools: readonly ToolName[];
    /** Set when the steps regenerate configure; silences the warning for patches that would need it. */
    readonly autoreconf: boolean;
    /** Mistakes in the options that it was made from, each one a clause; a Buildfile with any is refused when it is loaded. */
    readonly problems?: readonly RecipeProblem[];
}
/** Options that every recipe function takes. None of these functions throws: mistakes are `buildfile-invalid` when the Buildfile is loaded. */
export interface CommonOptions {
    /** Added to the standard environment, or in place of its values; values may use `place`. */
    readonly env?: Readonly<Record<string, string>>;
    /** Tools beyond those that such a recipe always needs. */
    readonly tools?: readonly ToolName[];
    /** Commands that run in the tree before all others. */
    readonly before?: readonly StepCommand[];
    /** Commands that run in the tree after all others, when everything is in `@stage@@prefix@`. */
    readonly after?: readonly StepCommand[];
}
export interface StepsOptions extends CommonOptions {
    /** Set when the steps run autoreconf; silences the warning for patches that would need it. */
    readonly autoreconf?: boolean;
}
/** The steps as they are. Whatever tools they call must be named, `patchelf` and `strip` too if they install ELF files. */
export declare function steps(list: readonly Step[], options?: StepsOptions): Recipe;
/** The name of a tool that vbuild knows; a literal, so that the compiler finds a misspelt one. */
export type ToolName =
    | 'autoconf'
    | 'automake'
    | 'bison'
    | 'brz'
    | 'bzip2'
    | 'cc'
    | 'cmake'
    | 'cxx'
    | 'flex'
    | 'gettext'
    | 'git'
    | 'git-lfs'
    | 'gpgv'
    | 'hg'
    | 'libtool'
    | 'lzip'
    | 'm4'
    | 'make'
    | 'meson'
    | 'nasm'
    | 'ninja'
    | 'patchelf'
    | 'perl'
    | 'pkg-config'
    | 'python-headers'
    | 'python-pip'
    | 'python-setuptools'
    | 'python-wheel'
    | 'python3'
    | 'strip'
    | 'svn'
    | 'texinfo'
    | 'xz';
/** How a Buildfile names a folder that serves as a cache tier. */
export interface DirectoryCacheSpec {
    readonly kind: 'directory';
    /** Absolute, or relative to the folder of the Buildfile. */
    readonly path: string;
}
/**
 * A folder as a cache tier, such as one on a network file system that several machines share. It must be there; what a tier behind it
 * has is kept in it as well, where this user may write. Throws nothing, here and when it is asked; only an upload that fails is an error,
 * `upload-failed`.
 *
 * @param path Absolute, or relative to the folder of the Buildfile.
 */
export declare const directoryCache: (path: string) => DirectoryCacheSpec;
/** How a Buildfile names a web server that hands out a cache. */
export interface HttpCacheSpec {
    readonly kind: 'http';
    readonly url: string;
}
/**
 * A cache that a plain web server hands out, for reading only: the layout of a bucket or of a directory tier below one URL. No
 * credentials are sent. Throws nothing, here and when it is asked.
 *
 * @param url `https:` (or `http:`) URL of its top.
 */
export declare const httpCache: (url: string) => HttpCacheSpec;
/** How a Buildfile names a bucket. */
export interface S3Spec {
    readonly kind: 's3';
    readonly bucket: string;
    /** Key prefix inside the bucket, without slashes at its ends; none when not given. */
    readonly prefix?: string;
    /** When not given, that of AWS_REGION or AWS_DEFAULT_REGION, else of the profile, else `us-east-1`. */
    readonly region?: string;
    /** URL of an S3-compatible server; when not given, that of AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile, else AWS itself. */
    readonly endpoint?: string;
    /**
     * Where the bucket stands in the URLs of requests: in the `path`, or before the name of the `host`. When not given, `path` with an
     * endpoint and `host` at AWS.
     */
    readonly addressing?: 'path' | 'host';
}
/**
 * A bucket as a cache tier. Credentials come from the environment or the profile, never from the Buildfile.
 *
 * Throws nothing, here and when it is asked: a bucket in trouble is a warning. Only an upload that fails is an error, `upload-failed`.
 */
export declare const s3: (options: Omit<S3Spec, 'kind'>) => S3Spec;
/** A cache tier as a Buildfile names it: what `s3()`, `directoryCache()` or `httpCache()` returns. */
export type CacheSpec = S3Spec | DirectoryCacheSpec | HttpCacheSpec;
/** A key whose signatures are accepted. */
export interface TrustedKey {
    /** How messages call it. */
    readonly name: string;
    /** One line of base64, as `minisign` and the command `key new` print it. */
    readonly publicKey: string;
    /** What its holder may call itself when it builds, such as `ci`. Several keys may have one role, while one takes the place of another. */
    readonly role: string;
}
/** What a manifest must state, beside being signed by a trusted key. */
export interface TrustRequirement {
    /** The role of the key that signed. */
    readonly builder?: string;
    /** The branch (`main`), or the full name of another ref, whose Buildfile it was built from, with nothing modified. */
    readonly ref?: string;
}
/**
 * What does not satisfy it counts as `rejected`, and is built from source. A push without the secret key of one of the keys ends with
 * `signing-key` before anything is built; a release that does not satisfy it is `release-refused`.
 */
export interface TrustOptions {
    /** Asked for in this order: put the one in use first. */
    readonly keys: readonly TrustedKey[];
    /** What a manifest must state beside its signature; nothing when not given. */
    readonly require?: TrustRequirement;
}
export {};
