/** Where two long texts part, so that both can be shown cut (pure). */
import { shortened } from './words.ts';

/** How much of what both have stays before a difference inside of one long word. */
const lead = 8;

/**
 * Both texts, and of longer ones just the words from the first that differs to the last one. What is cut off is marked.
 *
 * @param most How long either may be, in characters; longer ones end early.
 */
export function apart(before: string, now: string, most: number): readonly [before: string, now: string] {
  const [was, is] = [before, now].map((text) => Array.from(shortened(text, Number.MAX_SAFE_INTEGER))) as [
    string[],
    string[],
  ];
  if (Math.max(was.length, is.length) <= most) return [was.join(''), is.join('')];
  const shorter = Math.min(was.length, is.length);
  let same = 0;
  while (same < shorter && was[same] === is[same]) same += 1;
  let sameAtEnd = 0;
  while (sameAtEnd < shorter - same && was.at(-1 - sameAtEnd) === is.at(-1 - sameAtEnd)) sameAtEnd += 1;
  const word = was.slice(0, same).lastIndexOf(' ') + 1;
  const start = same - word > most / 2 ? same - lead : word;
  const part = (text: readonly string[]): string => {
    const after = text.length - sameAtEnd;
    const blank = text.indexOf(' ', after);
    const end = blank < 0 ? text.length : blank;
    const shown = text.slice(start, end);
    const cut = shown.length > most ? [...shown.slice(0, most - 1), '…'] : shown;
    return `${start > 0 ? '…' : ''}${cut.join('')}${end < text.length && cut === shown ? '…' : ''}`;
  };
  return [part(was), part(is)];
}
