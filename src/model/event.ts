/** What happens during a run, as data: code emits events, reporters turn them into text or JSON. */
import type { ContentKey, EqualKey } from './digest.ts';
import type { VbuildError } from './error.ts';

export type StageName = 'fetch' | 'patch' | 'compile' | 'pack' | 'install';

/** How a package came to be ready: nothing to do, unpacked from a cache tier, or compiled here. */
export type Outcome = 'fresh' | 'restored' | 'built';

/** A reason for work: the input that differs, what it was and what it is; long values are cut by reporters, never here. */
export interface Reason {
  readonly input: string;
  readonly before?: string;
  readonly now?: string;
}

/** Every `package` is `name@version`; every duration is in milliseconds; sizes are in bytes; paths are absolute. */
export type BuildEvent =
  | { readonly type: 'run-started'; readonly targets: readonly string[]; readonly packages: number }
  | {
      readonly type: 'stage-started';
      readonly package: string;
      readonly stage: StageName;
      readonly reasons: readonly Reason[];
    }
  | {
      readonly type: 'stage-finished';
      readonly package: string;
      readonly stage: StageName;
      readonly durationMs: number;
      readonly detail?: string;
      /** What it did one by one, such as each patch that was applied, or each file that was left out. */
      readonly lines?: readonly string[];
    }
  | {
      readonly type: 'step-started';
      readonly package: string;
      readonly group: string;
      readonly command: string;
      readonly log: string;
    }
  | {
      readonly type: 'transfer';
      readonly package: string;
      readonly what: string;
      readonly doneBytes: number;
      readonly totalBytes?: number;
    }
  | {
      readonly type: 'cache-looked-up';
      readonly package: string;
      readonly key: ContentKey;
      /** Where an artifact was sought that was made of the same to the byte, whatever its key: what it was sought by. */
      readonly equal?: EqualKey;
      readonly tier: string;
      readonly answer: 'hit' | 'absent' | 'unreachable' | 'rejected';
      readonly reason?: string;
    }
  /** For who watches a run, not for programs: what is to be built, how long it all should take, and then how many jobs run. */
  | { readonly type: 'outlook'; readonly expectedMs: number; readonly packages: Readonly<Record<string, number>> }
  | { readonly type: 'jobs-sampled'; readonly inUse: number; readonly jobs: number }
  /** At the end of a run, of each tier that was asked for anything. */
  | {
      readonly type: 'cache-traffic';
      readonly tier: string;
      readonly requests: number;
      readonly receivedBytes: number;
      readonly sentBytes: number;
    }
  | { readonly type: 'pushed'; readonly package: string; readonly tier: string; readonly sizeBytes: number }
  | {
      readonly type: 'package-finished';
      readonly package: string;
      readonly outcome: Outcome;
      readonly durationMs: number;
      /** Of the packed artifact, where it was made or brought. */
      readonly sizeBytes?: number;
      /** Of a restored one: dependencies (`name@version`) that were made anew, came out equal, and so did not have it compiled again. */
      readonly equal?: readonly string[];
    }
  | { readonly type: 'package-failed'; readonly package: string; readonly error: VbuildError }
  | { readonly type: 'package-skipped'; readonly package: string; readonly because: string }
  | {
      readonly type: 'notice';
      readonly level: 'info' | 'warning';
      readonly code: string;
      readonly headline: string;
      readonly package?: string;
      readonly facts?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'installed'; readonly prefix: string; readonly generation: number; readonly packages: number }
  | {
      readonly type: 'run-finished';
      readonly exitStatus: number;
      readonly durationMs: number;
      readonly outcomes: Readonly<Record<Outcome, number>>;
      readonly prefix?: string;
    };

export type Emit = (event: BuildEvent) => void;
