/** The contract of a source kind: how one sort of upstream becomes a pin, and a pin a tree. */
import type { Digest } from '../model/digest.ts';
import type { Emit } from '../model/event.ts';
import type { BlobStore } from '../system/blob-store.ts';
import type { MirrorRule } from './mirror-spec.ts';
import type { Origin } from './origin.ts';

/** One archive that a pin names. */
export interface PinnedFile {
  /** File name as upstream has it, without folders. */
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Who signed it, where the source asks for a signature: fingerprint of the OpenPGP key, or id of the minisign key. */
  readonly signedBy?: string;
}

/** What exactly a source resolved to; JSON data, kept in the lock file, keys sorted there. `tree` and `series` are added by the caller. */
export interface Pin {
  readonly kind: string;
  /** Upstream's version, where the source knows one (Debian's without epoch, revision and repack suffix). */
  readonly version?: string;
  /** Full commit id, for version control. */
  readonly commit?: string;
  /** The archives, in the order in which they are unpacked. */
  readonly files?: readonly PinnedFile[];
  /** Facts of the kind's own that `fetch` needs again, such as Debian's full version. */
  readonly [fact: string]: unknown;
}

/** Programs that sources are brought and unpacked with; no part of any content key. */
type FetchTool = 'brz' | 'bzip2' | 'git' | 'git-lfs' | 'gpgv' | 'hg' | 'lzip' | 'svn' | 'xz';

/** While no other process of this user does the same. */
export interface Turn {
  /** What the process left that was at it before this one had its turn; undefined where there was none, or it did not come to its end. */
  readonly left?: string;
  /** Says what came of it to those who wait. */
  leave(text: string): void;
}

export interface SourceContext {
  /** `name@version` of the package, for events. */
  readonly package: string;
  /** The version that the Buildfile gives the package. */
  readonly version: string;
  /** Absolute folder of the Buildfile; a spec's relative paths start there. */
  readonly buildfileFolder: string;
  /** Where downloaded archives are kept by digest. */
  readonly blobs: BlobStore;
  /** Looks for an archive in the blob store and then in the caches' stores; the absolute path of verified bytes, or undefined where none has it. */
  readonly findBlob: (digest: Digest) => Promise<string | undefined>;
  /** Does something while no other process of this user does what goes by the same name, as far as the file system has locks. */
  readonly alone: <Result>(name: string, work: (turn: Turn) => Promise<Result>) => Promise<Result>;
  /** Other places for what lies below given URLs, in the order in which they are asked. */
  readonly mirrors: readonly MirrorRule[];
  /** Absolute path of an existing folder of this package's own, kept between runs, for a kind's working state (a bare repository, an apt state). */
  readonly state: string;
  /** The user's own environment, for programs that reach the network as the user's do (proxies, `APT_CONFIG`, an SSH agent); recipes never see it. None when not given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** No socket may be opened: what would take one is `download-failed`. */
  readonly offline: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface FetchTarget {
  /** Absolute path of an empty folder: the pristine tree goes in. */
  readonly tree: string;
  /** Absolute path of an empty folder: a patch series that upstream itself ships (Debian's) goes in, with its `series` file. */
  readonly series: string;
}

export interface SourceKind<Spec extends { readonly kind: string }> {
  readonly kind: Spec['kind'];
  /** All that a spec may hold beside its `kind`; anything else is a mistake. */
  readonly options: readonly Exclude<keyof Spec, 'kind'>[];
  /** Every mistake in a spec, each one a clause such as `rev must be a string`; pure. */
  problems(spec: Spec): readonly string[];
  /**
   * Only for folders of the project itself: the digest of what is there now, by which such a source counts each time. It is never
   * pinned, and must not load anything heavy. @param buildfileFolder Absolute. @throws {VbuildError} `source-missing`
   */
  current?(spec: Spec, buildfileFolder: string): Digest;
  /** Programs of this host that bringing or unpacking it takes, so that a missing one shows before any work; none when not given. */
  needs?(spec: Spec): readonly FetchTool[];
  /**
   * The same source with no digest insisted on, for finding out what upstream offers now: only for kinds that pin archives, of which
   * other ones can hold the same tree.
   */
  loosened?(spec: Spec): Spec;
  /**
   * What the spec stands for now; may use the network.
   *
   * @throws {VbuildError} `source-missing` where there is no such thing, `download-failed` or a code of its tool (`git-failed`, `vcs-failed`,
   *   `npm-failed`, `debian-source`, `step-failed`) where it cannot be asked, `pin-mismatch` for other bytes than the spec itself insists on,
   *   `signature-refused`, `archive-refused`, `tool-missing`.
   */
  resolve(spec: Spec, context: SourceContext): Promise<Pin>;
  /**
   * Fills the target with exactly what the pin says.
   *
   * @throws {VbuildError} `pin-mismatch` where the world no longer agrees with the pin, `source-missing` where it is gone, `archive-refused`
   *   for what no tree may hold, `lock-file-invalid` for a pin that the kind never made; else as `resolve`.
   */
  fetch(spec: Spec, pin: Pin, target: FetchTarget, context: SourceContext): Promise<void>;
  /** Where it comes from, for bills of materials; pure. @param distribution Of the host, such as `debian-12`. */
  origin(spec: Spec, pin: Pin, distribution: string): Origin;
}
