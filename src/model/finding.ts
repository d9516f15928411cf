/** One thing that was looked at on a machine, and what was found. */
export interface Finding {
  /** What was looked at, such as `disk` or `s3://bucket/prefix`. */
  readonly check: string;
  /** `note`: vbuild works, but not as well as it could; `bad`: something of it will fail. */
  readonly state: 'good' | 'note' | 'bad';
  readonly found: string;
  /** What to do about it; nothing where all is good. */
  readonly mend?: string;
}
