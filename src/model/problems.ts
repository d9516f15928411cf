/** What was thrown, as problems that the user can mend (pure). */
import { diskTrouble } from './disk-trouble.ts';
import { VbuildError, VbuildErrors } from './error.ts';

/** The problems that something thrown is made of; undefined when it is a bug in vbuild. */
export function problemsOf(thrown: unknown): readonly VbuildError[] | undefined {
  if (thrown instanceof VbuildErrors) return thrown.errors;
  if (thrown instanceof VbuildError) return [thrown];
  if (thrown instanceof SuppressedError) {
    // A disk that fails also keeps what is left from being tidied up.
    const [first, last] = [problemsOf(thrown.suppressed), problemsOf(thrown.error)];
    return first && last && [...first, ...last];
  }
  const trouble = diskTrouble(thrown);
  return trouble && [trouble];
}
