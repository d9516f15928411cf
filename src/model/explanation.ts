/** Why a package is as it is, as data: what differs, down to the byte, and where that began. */
import type { ContentKey, Digest } from './digest.ts';
import type { ErrorCode } from './error.ts';
import type { Reason, StageName } from './event.ts';

/** Where two contents part, counted as cmp does. */
export interface FirstDifference {
  /** Both from 1 on. */
  readonly line: number;
  readonly byte: number;
}

/** A run of words that both texts have, or only one of them. */
export interface Piece {
  readonly in: 'both' | 'before' | 'now';
  readonly text: string;
}

/** One file of the project that is not what it was. */
export interface FileChange {
  /** Relative to the Buildfile's folder. */
  readonly file: string;
  readonly before?: Digest;
  readonly now?: Digest;
  /** What it was and is, such as `executable file` or `link to b`; only where one of the two is no common file, absent where there was or is none. */
  readonly nature?: { readonly before?: string; readonly now?: string };
  /** Absent where the old bytes were not kept, or on one side there is no file. */
  readonly first?: FirstDifference;
  /** Hunks of a unified diff, without file names; absent for what is no text. */
  readonly diff?: string;
}

/** An input of one package that differs, of its own: never a dependency whose key moved, which is explained at that package. */
export type Change =
  | {
      readonly kind: 'patch';
      readonly what: 'added' | 'dropped' | 'changed' | 'moved' | 'stripped';
      /** Place in the series, from 1 on: now, or for a dropped one before. */
      readonly place: number;
      /** For `moved` the places, for `stripped` the strip levels. */
      readonly from?: number;
      readonly to?: number;
      readonly content: FileChange;
    }
  | {
      readonly kind: 'source';
      /** Digests of the unpacked trees. */
      readonly before: string;
      readonly now: string;
      /** As the Buildfile and the lock file have them, where they are known and differ. */
      readonly reasons: readonly Reason[];
      /** For a folder of the project: what changed in it, and of how much more that is not told. */
      readonly files?: readonly FileChange[];
      readonly moreFiles?: number;
    }
  | {
      /** Anything else that has a text: a step, a variable, a tool's version, an option. */
      readonly kind: 'value';
      readonly input: string;
      readonly before?: string;
      readonly now?: string;
      /** Both texts as one, where there are both and they are more than one word. */
      readonly words?: readonly Piece[];
    };

/** A package in which a difference began. */
export interface Root {
  /** `name@version`, as it is now. */
  readonly package: string;
  /** Ids of the packages through which it reaches the one that is explained, nearest to that one first; empty for that one itself. */
  readonly through: readonly string[];
  /** Empty when it is no longer known what the package was made from then. */
  readonly changes: readonly Change[];
}

/** The last time that a package was worked on here. */
export interface LastRun {
  readonly outcome: 'built' | 'restored' | 'failed';
  /** Milliseconds since 1970. */
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly key: ContentKey;
  /** What differed from the time before; empty for the first time, and where nothing did. */
  readonly roots: readonly Root[];
  readonly stages: readonly {
    readonly stage: StageName;
    readonly reasons: readonly Reason[];
    readonly durationMs?: number;
  }[];
  /** What the caches said then; `equal` of an artifact that was made of the same under another key, and was taken. */
  readonly answers: readonly {
    readonly tier: string;
    readonly answer: string;
    readonly reason?: string;
    readonly equal?: true;
  }[];
  /** Dependencies (`name@version`) that came out equal then, so that it was not compiled again. */
  readonly equal?: readonly string[];
  readonly error?: { readonly code: ErrorCode; readonly headline: string; readonly stage?: string };
}

export interface Explanation {
  /** `name@version`. */
  readonly package: string;
  /**
   * `fresh`: nothing to do. `ready`: an artifact is on the disk, to be restored. `stale`: neither here nor on the disk.
   * `open`: without a key until the sources in `unpinned` have pins.
   */
  readonly state: 'fresh' | 'ready' | 'stale' | 'open';
  readonly key?: ContentKey;
  readonly unpinned: readonly string[];
  readonly onDisk: boolean;
  /** Number of the generation of the prefix that has the package with this key. */
  readonly generation?: number;
  /** Why the prefix would get a new generation if what was asked of it before were asked for again; absent where it would not. */
  readonly install?: { readonly prefix: string; readonly reasons: readonly Reason[] };
  /** Number of the generation of the prefix that has it with another key. */
  readonly otherGeneration?: number;
  /** What it is compared with; undefined when it was never made ready here. A fresh one is compared with what the prefix holds of it, if it is there. */
  readonly base?: { readonly key: ContentKey; readonly package: string; readonly from: 'history' | 'prefix' };
  readonly roots: readonly Root[];
  readonly lastRun?: LastRun;
  readonly failure?: LastRun;
}

/** Pins of tools that differ from what this machine has: a run that has to compile moves them, and the keys with them. */
export interface PinsHere {
  readonly moved: readonly { readonly tool: string; readonly before: string; readonly now: string }[];
  /** Ids of packages that are neither installed nor on the disk by the lock file, and are by the tools of this machine. */
  readonly ready: readonly string[];
}

/** What the caches have for a package, and what is nearest to it. */
export interface MissExplanation {
  readonly package: string;
  readonly key: ContentKey;
  readonly answers: readonly { readonly tier: string; readonly answer: string; readonly reason?: string }[];
  /** How many other artifacts of the package it was compared with, where no cache has this one: all on the disk, the newest of other tiers. */
  readonly relatives: number;
  /** Tiers that were asked for this key only, since they cannot be listed. */
  readonly notListed: readonly string[];
  readonly nearest?: {
    readonly package: string;
    readonly tier: string;
    readonly key: ContentKey;
    /** ISO 8601, UTC. */
    readonly builtAt: string;
    /** How many of its fields are equal, and how many there are on either side. */
    readonly equal: number;
    readonly fields: number;
    readonly roots: readonly Root[];
  };
}

/** What a file of the project has to do with a package. */
export interface Influence {
  readonly package: string;
  readonly as: 'Buildfile' | 'lock file' | 'patch' | 'series' | 'source';
  /** Ids of the packages that depend on it, and so are decided as well. */
  readonly reaches: readonly string[];
}
