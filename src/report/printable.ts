/** Makes text that others wrote (logs, patches, archives, buckets) safe to print: nothing in it can steer a terminal or reorder a line. */

import { withoutPasswords } from '../model/passwords.ts';

/** Colour codes, as compilers write them into logs: dropped, since they carry no words. */
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const colours = /\u001b\[[0-9;:]*m/g;

/** Controls (Cc) but tab and line feed, format characters (Cf: directions, zero width, tags), line and paragraph separators, halves of pairs. */
const unprintable = /[^\P{C}\t\n]|[\u2028\u2029]/gu;

/**
 * The text without passwords of URLs, with colours dropped and every other character that is not for printing written as an escape such as `\x1b`;
 * line feeds and tabs stay. CR LF counts as a line feed.
 *
 * @see Unicode TR 36 and "Trojan Source" (Boucher, Anderson 2021) for what bidirectional controls can hide.
 */
export function printable(text: string): string {
  return withoutPasswords(text).replace(/\r\n/g, '\n').replace(colours, '').replace(unprintable, escapeCharacter);
}

/** The same, on one line: line feeds and tabs are escaped as well. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

/** JSON text with the same characters written as JSON escapes; its value stays the same. */
export function printableJson(json: string): string {
  return json.replace(unprintable, (character) =>
    character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
