/** What a run would do, as data: made without doing any of it. */
import type { ContentKey } from './digest.ts';
import type { Outcome, Reason, StageName } from './event.ts';

/** Why no cache gives an artifact; `not-asked` when caches are switched off, `unfit` when one has it, but not for this host or prefix. */
export interface Missed {
  readonly answer: 'absent' | 'unreachable' | 'rejected' | 'unfit' | 'not-asked';
  /** Begins with the name of the tier. */
  readonly reason?: string;
  /** Of an unfit one, what it does not fit. */
  readonly misfit?: 'host' | 'prefix';
}

export interface PlannedStage {
  readonly stage: StageName;
  /** As a run would give them. */
  readonly reasons: readonly Reason[];
  /** From how long it took before, in milliseconds; undefined when that is not known. */
  readonly expectedMs?: number;
}

export interface PlannedPackage {
  /** `name@version`. */
  readonly package: string;
  /** Undefined before its source, and those of all that it depends on, are pinned. */
  readonly key?: ContentKey;
  /** `open`: to be pinned first, or resting on one that is, so that nothing beyond that can be said. */
  readonly outcome: Outcome | 'open';
  /** Where a restored one comes from, and how much there is to bring: nothing from the disk. */
  readonly tier?: string;
  readonly transferBytes?: number;
  /** Why one is built. */
  readonly missed?: Missed;
  /** Of a restored one: dependencies that are equal to those that it was compiled against, although their keys are other ones. */
  readonly equal?: readonly string[];
  /** Of a built one: if those in `after` come out as what an artifact of it was compiled against, that is restored, and no stage of this one runs. */
  readonly unlessEqual?: true;
  /** Of a built one, those that must run, in their order. */
  readonly stages: readonly PlannedStage[];
  /** Whether its source is still to be pinned. */
  readonly unpinned: boolean;
  /** Ids of the packages to be built that must be there before it is compiled. */
  readonly after: readonly string[];
}

export interface Plan {
  /** Names of the targets. */
  readonly targets: readonly string[];
  /** What was taken to be so although it is not, each a clause; absent for a plan of what is so. */
  readonly assumed?: readonly string[];
  /** Each after what it depends on. */
  readonly packages: readonly PlannedPackage[];
  /** Absent when the prefix stays as it is, or that is open. */
  readonly install?: { readonly prefix: string; readonly reasons: readonly Reason[] };
  /** Whether that depends on what the open packages come out as. */
  readonly installOpen: boolean;
  /** Names of the tiers to which artifacts would be uploaded. */
  readonly pushTo: readonly string[];
  /** With those: what they lack as far as they say so; without a size what is still to be built or brought. */
  readonly uploads?: readonly { readonly package: string; readonly tier: string; readonly sizeBytes?: number }[];
  /** And what is held back, and why. */
  readonly withheld?: readonly { readonly package: string; readonly reason: string }[];
  readonly transferBytes: number;
  /** How long building would take with this number of jobs, transfers aside. */
  readonly expectedMs: number;
  /** Ids of the packages whose building decides that time, in their order. */
  readonly criticalPath: readonly string[];
  /** Ids of the packages to be built that were never built here, nor by anyone who shares the disk cache: their time is a guess. */
  readonly guessed: readonly string[];
}
