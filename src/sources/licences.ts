/** The licence texts in a source tree. */
import { join, posix } from 'node:path';
import { readBytes, walk } from '../system/files.ts';
import { licenceIds } from './licence-ids.ts';

export interface LicenceText {
  /** Relative to the tree. */
  readonly path: string;
  /** SPDX identifiers of the licences in it; empty where none was recognised. */
  readonly ids: readonly string[];
  /** Whether it lies where a package's own licence lies: at the top, in a folder for licences, or with the documentation; else it is that of a part. */
  readonly isOwn: boolean;
}

const named = [
  /^(?:.+[-_.])?(?:licen[cs]es?|copying)(?:[-_.].*)?$/i,
  /^(?:copyrights?|notice|patents|unlicense)(?:[-_.].*)?$/i,
  /^(?:ftl|[al]?gplv?\d.*)\.txt$/i,
  /^readme\.ijg$/i,
];
/** Files that are about licences, or carry the word for another reason. */
const otherwise =
  /\.(?:[chmsS]|cc|hh|[ch]pp|[ch]xx|asm|py|pl|pm|rb|[mc]?[jt]s|java|go|rs|sh|bat|cmake|mk|in|am|ac|m4|pot?|json|ya?ml|toml|xml|patch|diff|svg|png|jpe?g|gif|ico|pdf|rtf|docx?|odt)$/;
const ownFolder = /^(?:\.|docs?|licen[cs]es?)$/i;
/** Longer than any licence. */
const largest = 1024 * 1024;

/** @param tree Absolute path. @returns In code-unit order of their paths. */
export function licenceTexts(tree: string): LicenceText[] {
  return walk(tree).flatMap(({ path, type, sizeBytes }) => {
    if (type !== 'file' || sizeBytes > largest || !isNamed(path)) return [];
    const bytes = readBytes(join(tree, path));
    if (bytes.includes(0)) return [];
    return [{ path, ids: licenceIds(bytes.toString('latin1')), isOwn: ownFolder.test(posix.dirname(path)) }];
  });
}

function isNamed(path: string): boolean {
  const name = posix.basename(path);
  if (otherwise.test(name)) return false;
  return /(?:^|\/)licenses\/[^/]+$/i.test(path) || named.some((pattern) => pattern.test(name));
}
