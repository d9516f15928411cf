/** Faults that are found in a tree while it is packed: collected, and thrown all together. */
import { type ErrorDetail, throwAll, VbuildError } from '../model/error.ts';

export interface Problem extends Omit<ErrorDetail, 'cause' | 'where'> {
  readonly headline: string;
  /** Relative to the prefix. */
  readonly file?: string;
}

/** @throws {VbuildError | VbuildErrors} `artifact-refused`, when there is any problem. */
export function refuseOn(problems: readonly Problem[]): void {
  throwAll(
    problems.map(
      ({ headline, file, ...detail }) =>
        new VbuildError('artifact-refused', headline, file === undefined ? detail : { ...detail, where: { file } }),
    ),
  );
}
