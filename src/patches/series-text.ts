/** The text of a `series` file made to name other patches in another order; what people wrote beside them stays (pure). */
import { posix } from 'node:path';

/**
 * Comments and options travel with the patch below or beside which they stand; those of patches that are no longer named go, those at
 * the end stay.
 *
 * @param text  As it is now; empty for a new file.
 * @param names Relative to the file's folder, in order.
 * @returns The text itself where it names these already.
 */
export function seriesText(text: string, names: readonly string[]): string {
  const blocks: { readonly name: string; readonly lines: readonly string[] }[] = [];
  let pending: string[] = [];
  for (const line of text === '' ? [] : text.replace(/\n$/, '').split('\n')) {
    pending.push(line);
    const [written = ''] = seriesWords(line);
    if (written === '') continue;
    blocks.push({ name: posix.normalize(written), lines: pending });
    pending = [];
  }
  if (blocks.length === names.length && blocks.every(({ name }, i) => name === names[i])) return text;
  const lines = names.flatMap((name) => blocks.find((block) => block.name === name)?.lines ?? [name]);
  return [...lines, ...pending].map((line) => `${line}\n`).join('');
}

/** A patch and its options, of a line that names one; `#` begins a comment at the start of a line or after a blank. */
export const seriesWords = (line: string): string[] =>
  line
    .replace(/(^|\s)#.*$/, '')
    .trim()
    .split(/\s+/);
