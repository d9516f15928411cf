/** The logs of a package's compilations: one file each, numbered, the last few kept. */
import { join } from 'node:path';
import { fileStat, makeFolder, namesIn, removeTree } from '../system/files.ts';

/** How many logs of a package stay. */
export const KEPT_LOGS = 5;

const numbersIn = (folder: string): number[] =>
  namesIn(folder)
    .flatMap((name) => /^([1-9]\d{0,8})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

/** Absolute paths, oldest first. @param folder The `logs` of a package's places. */
export const logsIn = (folder: string): string[] => numbersIn(folder).map((number) => join(folder, `${number}.log`));

/** When something was last written to a log that is there; milliseconds since 1970. */
export const writtenAtMs = (log: string): number => Number((fileStat(log)?.mtimeNs ?? 0n) / 1_000_000n);

/** The absolute path of a log that is about to be written; makes the folder, and room. */
export function newLog(folder: string): string {
  makeFolder(folder);
  const numbers = numbersIn(folder);
  for (const old of logsIn(folder).slice(0, Math.max(0, numbers.length - KEPT_LOGS + 1))) removeTree(old);
  return join(folder, `${(numbers.at(-1) ?? 0) + 1}.log`);
}
