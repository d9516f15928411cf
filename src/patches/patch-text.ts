/** The text of a patch made from a commit: header kept or new, diff without what differs from one repository to another (pure). */
import { aboveStat, newHeader, withMessage } from './patch-header.ts';

interface CommitText {
  /** `Name <address>`, and an RFC 5322 date. */
  readonly author: string;
  readonly date: string;
  /** Without the name of the patch. */
  readonly message: string;
  /** As git prints it, latin1. */
  readonly diff: string;
  /** The list of changed files as git prints it, latin1. */
  readonly stat: string;
}

/**
 * @param header  The header of the patch as it was; undefined for a new one.
 * @param changed Whether the message is another one than the header's.
 * @returns latin1
 */
export function patchText(commit: CommitText, header: string | undefined, changed: boolean): string {
  const diff = withoutBlobNames(commit.diff);
  if (header === undefined) return `${newHeader(commit.author, commit.date, commit.message)}${commit.stat}\n${diff}`;
  const kept = changed ? withMessage(header, commit.message) : (aboveStat(header) ?? header);
  return aboveStat(header) === undefined ? kept + diff : `${kept}${commit.stat}\n${diff}`;
}

/** How leading parts are spelt for a strip level, before the old and the new names. */
export const prefixesFor = (strip: number): readonly [string, string] =>
  strip === 0 ? ['', ''] : [`a/${'x/'.repeat(strip - 1)}`, `b/${'x/'.repeat(strip - 1)}`];

/** The names of git's blobs change with every line of a file, and nothing needs them: only a header's line begins so. */
const withoutBlobNames = (diff: string): string => diff.replace(/^index [0-9a-f]+\.\.[0-9a-f]+(?: [0-7]+)?\n/gm, '');
