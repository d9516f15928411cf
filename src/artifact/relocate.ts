/** Makes a tree independent of the prefix it was built for, file by file; it stands beside what the build wrote, never in it. */
import { dirname, join } from 'node:path';
import { readBytes, walk } from '../system/files.ts';
import { run } from '../system/process.ts';
import { makeSymlink, removeFile, writeWithMode } from '../system/tree-edit.ts';
import { type Elf, readElf } from './elf.ts';
import type { PrefixUse } from './manifest.ts';
import type { BuildPlaces } from './places.ts';
import type { Problem } from './problem.ts';
import { fileVerdict, type FileVerdict, symlinkVerdict } from './relocate-file.ts';

export interface Relocated {
  /** How files refer to the prefix now, by their path relative to the tree; those that do not are not in it. */
  readonly prefixUses: ReadonlyMap<string, PrefixUse>;
  /** What was taken out of the tree, and why. */
  readonly dropped: readonly { readonly path: string; readonly why: string }[];
  readonly problems: readonly Problem[];
}

/**
 * Rewrites `tree` in place. What cannot be made to work elsewhere is a problem, never a guess.
 *
 * @param tree       Absolute; a copy of the package's part of the stage.
 * @param holders    Binary files that may hold the prefix, relative to the tree, see `fileVerdict`.
 * @param searchPath The PATH on which `patchelf` is looked up, should a file need it.
 */
export async function relocate(
  tree: string,
  places: BuildPlaces,
  { holders, searchPath }: { readonly holders: ReadonlySet<string>; readonly searchPath: string },
): Promise<Relocated> {
  const prefixUses = new Map<string, PrefixUse>();
  const dropped: { path: string; why: string }[] = [];
  const problems: Problem[] = [];
  for (const { path, type, mode, target } of walk(tree)) {
    const full = join(tree, path);
    if (type === 'symlink' && target !== undefined) {
      const verdict = symlinkVerdict(path, target, places);
      if ('problem' in verdict) problems.push(verdict.problem);
      else if (verdict.target !== target) {
        removeFile(full);
        makeSymlink(verdict.target, full);
      }
    }
    if (type !== 'file') continue;
    const judge = (): FileVerdict => fileVerdict(path, readBytes(full), places, holders.has(path));
    const verdict = await withPatchelf(full, path, judge, searchPath);
    switch (verdict.do) {
      case 'keep':
        break;
      case 'drop':
        removeFile(full);
        dropped.push({ path, why: verdict.why });
        break;
      case 'rewrite':
        writeWithMode(full, verdict.bytes, mode);
        prefixUses.set(path, verdict.prefix);
        break;
      case 'refuse':
        problems.push(...verdict.problems);
        break;
      default:
        verdict satisfies never;
    }
  }
  dropped.push(...removeLinksTo(new Set(dropped.map(({ path }) => path)), tree));
  return { prefixUses, dropped, problems };
}

/** Links to what is left out name nothing any more, nor do links to these. */
function removeLinksTo(gone: Set<string>, tree: string): { readonly path: string; readonly why: string }[] {
  const links = walk(tree).filter(({ type }) => type === 'symlink');
  const isDead = ({ path, target }: (typeof links)[number]): boolean =>
    target !== undefined && !gone.has(path) && gone.has(join(dirname(path), target));
  const dead: { readonly path: string; readonly why: string }[] = [];
  for (let one = links.find(isDead); one !== undefined; one = links.find(isDead)) {
    removeFile(join(tree, one.path));
    gone.add(one.path);
    dead.push({ path: one.path, why: `link to ${one.target}, which is left out` });
  }
  return dead;
}

/** Carries out a `patchelf` verdict and judges its work: a file in which any other dynamic string changed is refused. */
async function withPatchelf(
  full: string,
  path: string,
  judge: () => FileVerdict,
  searchPath: string,
): Promise<Exclude<FileVerdict, { do: 'patchelf' }>> {
  const verdict = judge();
  if (verdict.do !== 'patchelf') return verdict;
  const { runPath, tag } = verdict;
  const refuse = (found: string, mend: string): Exclude<FileVerdict, { do: 'patchelf' }> => ({
    do: 'refuse',
    problems: [
      {
        headline: 'Run path cannot be rewritten in place',
        file: path,
        facts: { expected: `room for ${runPath}`, found },
        mend,
      },
    ],
  });
  const before = elfIn(full);
  const argv = ['patchelf', ...(tag === 'RPATH' ? ['--force-rpath'] : []), '--set-rpath', runPath, full];
  const { exitStatus, failure, stderr } = await run({ argv, cwd: '/', env: { PATH: searchPath, LC_ALL: 'C' } });
  if (failure !== undefined)
    return refuse(`no patchelf to make room (${failure})`, 'install patchelf, or link with a shorter run path');
  if (exitStatus !== 0) return refuse(`patchelf: ${stderr.trim()}`, 'link with a shorter run path');
  const after = elfIn(full);
  const unharmed =
    before !== undefined &&
    after !== undefined &&
    dynamicText(before) === dynamicText(after) &&
    after.runPaths.every(({ value }) => value === runPath);
  if (!unharmed)
    return refuse(
      'patchelf changed a name that shares bytes with it',
      'link with a shorter run path, or rename what ends like it',
    );
  const again = judge();
  return again.do === 'patchelf' ? refuse('no room after patchelf either', 'link with a shorter run path') : again;
}

function elfIn(file: string): Elf | undefined {
  const reading = readElf(readBytes(file));
  return reading.kind === 'elf' ? reading.elf : undefined;
}

const dynamicText = (elf: Elf): string => JSON.stringify([...elf.otherStrings()].sort());
