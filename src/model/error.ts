/** The one error type for problems that the user can mend, and the exit status of each of their codes. */

/** Every error code with its exit status. Codes are stable: tests and JSON consumers rely on them, not on the words. */
const exitStatuses = {
  // 1: a package failed
  'archive-refused': 1,
  'artifact-refused': 1,
  'cache-trouble': 1,
  'debian-source': 1,
  'disk-trouble': 1,
  'download-failed': 1,
  'git-failed': 1,
  'install-refused': 1,
  'npm-failed': 1,
  'patch-conflict': 1,
  'patch-edit-stale': 1,
  'patch-edit-unsaved': 1,
  'patch-malformed': 1,
  'patch-no-change': 1,
  'patch-rejected': 1,
  'patch-unsafe': 1,
  'patch-unsupported': 1,
  'pin-mismatch': 1,
  'release-refused': 1,
  'signature-refused': 1,
  'source-missing': 1,
  'step-failed': 1,
  'tool-missing': 1,
  'tool-mismatch': 1,
  'vcs-failed': 1,
  // 2: usage, Buildfile or lock file
  'ambiguous-target': 2,
  'buildfile-invalid': 2,
  'buildfile-missing': 2,
  'frozen-lock': 2,
  'lock-file-invalid': 2,
  'patch-edit-missing': 2,
  'patch-missing': 2,
  'series-invalid': 2,
  'signing-key': 2,
  'unknown-target': 2,
  unpinned: 2,
  usage: 2,
  // 3: not ready
  'not-ready': 3,
  // 4: unfit for this host
  'unfit-host': 4,
  'unsupported-host': 4,
  // 5: built, but an upload failed
  'upload-failed': 5,
  interrupted: 130,
} as const;

export type ErrorCode = keyof typeof exitStatuses;

export interface ErrorDetail {
  /** The place: a file (absolute, or as the user wrote it), a 1-based line; the stage adds package and stage. */
  readonly where?: {
    readonly file?: string;
    readonly line?: number;
    readonly package?: string;
    readonly stage?: string;
  };
  /** Named findings in the order in which they are shown, such as `expected` and `found`. */
  readonly facts?: Readonly<Record<string, string>>;
  /** What the user can do about it, one clause. */
  readonly mend: string;
  readonly cause?: unknown;
}

/** A problem that the user can mend. Anything else that is thrown is a bug in vbuild. */
export class VbuildError extends Error {
  readonly code: ErrorCode;
  readonly where: NonNullable<ErrorDetail['where']>;
  readonly facts: NonNullable<ErrorDetail['facts']>;
  readonly mend: string;

  constructor(code: ErrorCode, headline: string, detail: ErrorDetail) {
    super(headline, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'VbuildError';
    this.code = code;
    this.where = detail.where ?? {};
    this.facts = detail.facts ?? {};
    this.mend = detail.mend;
  }

  get exitStatus(): number {
    return exitStatuses[this.code];
  }

  /** The same problem with its place known better: what is given here fills what was left open, and is added to the findings. */
  at(where: NonNullable<ErrorDetail['where']>, findings: NonNullable<ErrorDetail['facts']> = {}): VbuildError {
    const { code, message, facts, mend, cause } = this;
    const placed = new VbuildError(code, message, {
      where: { ...where, ...this.where },
      facts: { ...facts, ...findings },
      mend,
      cause,
    });
    if (this.stack !== undefined) placed.stack = this.stack;
    return placed;
  }
}

/** Several problems found in one go, each one of them complete. */
export class VbuildErrors extends Error {
  readonly errors: readonly VbuildError[];

  constructor(errors: readonly VbuildError[]) {
    super(`${errors.length} problems`);
    this.name = 'VbuildErrors';
    this.errors = errors;
  }

  get exitStatus(): number {
    return lowestStatus(this.errors.map((error) => error.exitStatus));
  }
}

/** Throws what was collected: one error as it is, several together, a bug before anything else. */
export function throwAll(thrown: readonly unknown[]): void {
  const bug = thrown.find((one) => !(one instanceof VbuildError || one instanceof VbuildErrors));
  if (bug !== undefined) throw bug;
  const errors = thrown.flatMap((one) => (one instanceof VbuildErrors ? one.errors : [one as VbuildError]));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new VbuildErrors(errors);
}

/** The exit status for several failures: the lowest that applies, and 0 for none. */
export const lowestStatus = (statuses: readonly number[]): number =>
  statuses.length === 0 ? 0 : Math.min(...statuses);

/** The text of anything thrown, for use as a fact. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
