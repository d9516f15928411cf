/** A word of the command line that is one of a few. */
import { VbuildError } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';

/** @throws {VbuildError} `usage` with what may have been meant. */
export function wordAmong<Word extends string>(word: string, words: readonly Word[], headline: string): Word {
  const found = words.find((one) => one === word);
  if (found !== undefined) return found;
  const meant = nearest(word, words);
  throw new VbuildError('usage', headline, {
    facts: { expected: words.join(', '), found: word },
    mend: meant === undefined ? 'say one of these, or leave it out' : `did you mean "${meant}"?`,
  });
}
