/** The manifest of an artifact: everything a reader must know before it touches the body. */
import type { ContentKey, Digest } from '../model/digest.ts';

export interface ManifestFile {
  /** Relative to the prefix, parts joined by `/`. */
  readonly path: string;
  readonly type: 'file' | 'symlink';
  /** 0o755 or 0o644, for files. */
  readonly mode?: number;
  readonly sizeBytes?: number;
  /** Of the packed bytes, that is with the prefix token still in place. */
  readonly digest?: Digest;
  /** Where a symlink points; always relative. */
  readonly target?: string;
  /** How it refers to the prefix that it lies in; absent where it does not. */
  readonly prefix?: PrefixUse;
}

/** What certifies in which prefixes a file works, see `prefixProblems`. */
export type PrefixUse =
  /** A text that holds the prefix token, which the real prefix replaces at install. */
  | {
      readonly as: 'text';
      /** Length of its interpreter line (`#!`) without the token, in bytes; absent where that line does not hold it. */
      readonly interpreterLineBytes?: number;
    }
  /** An ELF file whose run path was made relative to the file: any prefix will do. */
  | { readonly as: 'run-path' }
  /** A binary file with placeholders of `roomBytes` each; at install the real prefix, filled up with slashes, takes their place. */
  | {
      readonly as: 'string';
      readonly roomBytes: number;
      /** Where each placeholder begins in the file, in bytes, ascending. */
      readonly offsets: readonly number[];
    };

/** A dependency, direct or not, as a package was compiled against it. */
export interface Against {
  readonly name: string;
  readonly tree: Digest;
  /** Whether it is there when the package runs, too. */
  readonly reachesPrefix: boolean;
}

export interface Manifest {
  readonly format: 1;
  readonly package: { readonly name: string; readonly version: string };
  readonly key: ContentKey;
  /** The readable text whose SHA-256 is the key. */
  readonly keyText: string;
  /** The compressed body (.tar.zst) as stored. */
  readonly body: { readonly digest: Digest; readonly sizeBytes: number; readonly unpackedBytes: number };
  /** Digest of the packed tree, see `treeDigest`. */
  readonly tree: Digest;
  readonly files: readonly ManifestFile[];
  /** The run-time closure's direct members that it was compiled against. */
  readonly dependencies: readonly {
    readonly name: string;
    readonly version: string;
    readonly key: ContentKey;
    readonly tree: Digest;
  }[];
  /** Every tree that was visible while it was compiled, in code-unit order of the names; absent where there was none. */
  readonly against?: readonly Against[];
  /** What the ELF files want from a host. */
  readonly needs: {
    /** Highest symbol version per version family, such as `{ "GLIBC": "2.34" }`. */
    readonly symbolVersions: Readonly<Record<string, string>>;
    /** Libraries (SONAMEs) outside the closure, sorted. */
    readonly libraries: readonly string[];
    /** Programs that must be there to run its scripts and programs: absolute paths, or a name such as `python3.11`; sorted, absent when there is none. */
    readonly interpreters?: readonly string[];
    /** What the processor must be able to do, where a file declares it: `x86-64-v2`, `x86-64-v3` or `x86-64-v4`. */
    readonly cpu?: string;
  };
  /** SONAMEs that the tree itself provides, with their path, sorted by name. */
  readonly provides: Readonly<Record<string, string>>;
  readonly build: {
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    readonly durationMs: number;
    /** Versions of the tools as seen, by tool name. */
    readonly tools: Readonly<Record<string, string>>;
    readonly vbuild: string;
    /** Whether the steps saw the canonical build root or a padded path; the tree is the same either way. */
    readonly place?: 'canonical' | 'padded';
    /** Whether the steps were locked in: without a network and with the system's folders alone. */
    readonly sandbox?: 'sealed' | 'open';
  };
  /** What the publisher says of where it came from; absent as long as it is not published. */
  readonly statement?: Statement;
}

/** Said when an artifact is published, of the project as it was then: its key follows from what is named here. A signature covers it. */
export interface Statement {
  /** The role of the key that signs it; absent when none does. */
  readonly builder?: string;
  readonly source: {
    /** As in the lock file. */
    readonly pin: { readonly kind: string; readonly [fact: string]: unknown };
    /** Digest of the unpacked tree. */
    readonly tree: Digest;
  };
  /** Of the Buildfile's checkout; absent outside of version control. */
  readonly revision?: Revision;
}

/** A commit of the project, and whether all that an artifact rests on is what that commit holds. */
export interface Revision {
  /** Full id. */
  readonly commit: string;
  readonly clean: boolean;
  /** The branch, such as `main`, or the full name of another ref; absent when there is none. */
  readonly ref?: string;
}
