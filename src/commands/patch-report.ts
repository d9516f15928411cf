/** What patches did, in words and as data (pure). */
import { count } from '../model/count.ts';
import type { PatchReport } from '../patches/apply-series.ts';

/** One line: the patch, how many files it changes, and whether hunks land away from their stated lines. */
export function patchLine({ name, files }: PatchReport): string {
  const paths = new Set(files.map(({ path }) => path));
  const offsets = files.flatMap(({ hunks }) => hunks).filter(({ offset }) => offset !== 0).length;
  const moved = offsets === 0 ? '' : `, ${count(offsets, 'hunk')} at an offset`;
  return `${name}  ${count(paths.size, 'file')}${moved}\n`;
}

export const patchData = ({ name, files }: PatchReport): object => ({ patch: name, files });
