/** What happened in one run and when, as data: what traces and reports are made of. */
import type { ContentKey } from './digest.ts';
import type { Outcome, Reason, StageName } from './event.ts';

/** A stretch of time in milliseconds since the start of the run. */
interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** What a package was worked on for; `restore`: an artifact was brought from a cache, `push`: from being ready to lying in another tier. */
export interface Work extends Span {
  readonly what: StageName | 'restore' | 'push';
  /** Why a stage ran. */
  readonly reasons: readonly Reason[];
  readonly detail?: string;
  /** Of `restore` and `push`. */
  readonly tier?: string;
  /** Of `compile`: its steps, one after another. */
  readonly steps: readonly (Span & { readonly group: string; readonly command: string })[];
  /** Whether it ended without a result: it failed, or was broken off. */
  readonly failed: boolean;
}

export interface RunPackage {
  /** `name@version`. */
  readonly package: string;
  /** `unfinished`: the run ended before. */
  readonly outcome: Outcome | 'failed' | 'skipped' | 'unfinished';
  /** Ids of its direct dependencies of both kinds. */
  readonly needs: readonly string[];
  readonly key?: ContentKey;
  /** Of the packed artifact. */
  readonly sizeBytes?: number;
  /** In the order in which they began. */
  readonly work: readonly Work[];
  /** What the caches said. */
  readonly answers: readonly {
    readonly tier: string;
    readonly answer: string;
    readonly reason?: string;
    readonly atMs: number;
  }[];
  /** How long its stages took the time before, in milliseconds; of a run elsewhere nothing is known. */
  readonly before: Partial<Readonly<Record<StageName, number>>>;
  readonly error?: { readonly code: string; readonly headline: string; readonly stage?: string };
  /** Why it was skipped: the id of the package that failed. */
  readonly because?: string;
}

export interface RunRecord {
  readonly format: 1;
  /** The version that ran. */
  readonly vbuild: string;
  readonly platform: string;
  /** The `-j` number. */
  readonly jobs: number;
  readonly targets: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly exitStatus: number;
  /** Absolute; absent when nothing was to be installed. */
  readonly prefix?: string;
  /** Of the prefix, when this run switched it, and the time that took. */
  readonly installed?: Span & { readonly generation: number; readonly reasons: readonly Reason[] };
  readonly packages: readonly RunPackage[];
  readonly traffic: readonly {
    readonly tier: string;
    readonly requests: number;
    readonly receivedBytes: number;
    readonly sentBytes: number;
  }[];
  readonly warnings: readonly { readonly headline: string; readonly package?: string }[];
  /** What stopped it before any package. */
  readonly errors: readonly { readonly code: string; readonly headline: string }[];
}
