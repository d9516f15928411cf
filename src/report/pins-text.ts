/** What this machine's tools would make of the pins, in words (pure; escaping included). */
import type { PinsHere } from '../model/explanation.ts';
import { printableLine } from './printable.ts';
import { list } from './words.ts';

/** Ends with a line feed; empty where nothing would move. */
export function pinsHereText(given: PinsHere | undefined): string {
  if (given === undefined) return '';
  const { moved, ready } = given;
  const here = list(moved.map(({ tool, before, now }) => `${tool} ${now} (the lock file pins ${before})`));
  const then = ready.length === 0 ? '' : `, and then ${list(ready)} ${ready.length === 1 ? 'is' : 'are'} ready`;
  const line = `this machine has ${here}: a run that finds no artifact in a cache moves the ${moved.length === 1 ? 'pin' : 'pins'}${then}`;
  return `${printableLine(line)}\n`;
}
