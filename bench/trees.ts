/** A tree like that of a large upstream package, and archives of it; the same bytes on every machine. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers from 0 up to 1, always the same ones. @see Marsaglia 2003, "Xorshift RNGs" */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Words as programs have them: few of them often, many of them seldom, so that compressors find what they find in source code. */
function vocabulary(next: () => number): () => string {
  const letters = 'etaoinsrhldcumfpgwybvkxjqz_';
  const words = Array.from({ length: 6000 }, () =>
    Array.from({ length: 2 + Math.floor(next() * 9) }, () => letters[Math.floor(next() ** 2 * letters.length)]).join(
      '',
    ),
  );
  return () => words[Math.floor(next() ** 3 * words.length)] ?? '';
}

/** Writes a tree of so many bytes: files of 0.1 to 60 KB in folders of about forty. @returns how many files. */
export function writeLargeTree(top: string, bytes: number): number {
  const next = numbers(20_240_601);
  const word = vocabulary(next);
  let [left, files] = [bytes, 0];
  while (left > 0) {
    const folder = join(top, `part${Math.floor(files / 1600)}`, `dir${Math.floor(files / 40) % 40}`);
    if (files % 40 === 0) mkdirSync(folder, { recursive: true });
    const size = Math.min(left, Math.floor(100 + 60_000 * next() ** 3));
    let text = '';
    while (text.length < size)
      text += `${'  '.repeat(Math.floor(next() * 4))}${word()} ${word()} = ${word()}(${word()}, ${word()});\n`;
    writeFileSync(join(folder, `file${files}.c`), text);
    left -= text.length;
    files += 1;
  }
  return files;
}

export interface Archive {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Packs folders with GNU tar and a compressor, given as a command line. */
export function packLargeTree(top: string, names: readonly string[], path: string, compressor: string): Archive {
  execFileSync('tar', [
    '-C',
    top,
    '--sort=name',
    '--mtime=@0',
    `--use-compress-program=${compressor}`,
    '-cf',
    path,
    ...names,
  ]);
  return { path, sizeBytes: statSync(path).size };
}

/** Writes so many files of 0.1 to 3 KB, fifty to a folder. @returns how many. */
export function writeSmallFiles(top: string, count: number): number {
  const next = numbers(20_240_602);
  const word = vocabulary(next);
  for (let file = 0; file < count; file += 1) {
    const folder = join(top, `part${Math.floor(file / 1000)}`, `dir${Math.floor(file / 50)}`);
    if (file % 50 === 0) mkdirSync(folder, { recursive: true });
    let text = '';
    for (let size = 100 + 3000 * next() ** 2; size > 0; size -= 40) text += `${word()} ${word()} = ${word()};\n`;
    writeFileSync(join(folder, `file${file}.h`), text);
  }
  return count;
}

let sets = 0;
/**
 * Makes room for what a run writes. Nothing is removed before the end: ext4 looks at each inode that was freed in the last seconds
 * before it gives one out, which would be most of what is measured.
 */
export function setAside(path: string): void {
  if (existsSync(path)) renameSync(path, `${path}.${(sets += 1)}`);
}
