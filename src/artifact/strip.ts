/** Takes symbols and debug information out of programs, libraries and archives that need them neither to run nor to be linked with. */
import { join } from 'node:path';
import { readBytes, walk } from '../system/files.ts';
import { run } from '../system/process.ts';
import { readElf } from './elf.ts';
import { refuseOn } from './problem.ts';

/** How many files one `strip` gets: far below the kernel's limit for arguments. */
const batch = 200;

/**
 * Strips in place. Object files of their own (`.o`, kernel modules) stay as they are: what links or loads them needs their symbols.
 *
 * @param tree       Absolute.
 * @param searchPath The PATH on which `strip` is looked up.
 * @throws {VbuildError} `artifact-refused` when `strip` is missing or fails.
 */
export async function stripTree(tree: string, searchPath: string): Promise<void> {
  const linked: string[] = [];
  const archives: string[] = [];
  for (const { path, type } of walk(tree)) {
    if (type !== 'file') continue;
    const bytes = readBytes(join(tree, path));
    const start = bytes.toString('latin1', 0, 8);
    if (start === '!<arch>\n') archives.push(path);
    const reading = readElf(bytes);
    if (reading.kind === 'elf' && (reading.elf.type === 'executable' || reading.elf.type === 'shared'))
      linked.push(path);
  }
  await strip(tree, searchPath, ['--strip-unneeded'], linked);
  await strip(tree, searchPath, ['--strip-debug', '--enable-deterministic-archives'], archives);
}

async function strip(
  tree: string,
  searchPath: string,
  flags: readonly string[],
  files: readonly string[],
): Promise<void> {
  for (let at = 0; at < files.length; at += batch) {
    const argv = ['strip', ...flags, '--', ...files.slice(at, at + batch)];
    const { exitStatus, failure, stderr } = await run({ argv, cwd: tree, env: { PATH: searchPath, LC_ALL: 'C' } });
    if (exitStatus === 0) continue;
    const mend = failure === undefined ? 'set `strip: false` for this package' : 'install binutils';
    refuseOn([
      {
        headline: 'Files cannot be stripped',
        facts: { tool: `strip ${flags.join(' ')}`, found: failure ?? stderr.trim() },
        mend,
      },
    ]);
  }
}
