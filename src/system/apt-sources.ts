/** The machine's lists of apt repositories, read, turned into lists of source repositories, and written for ourselves. */
import { join } from 'node:path';
import { messageOf, VbuildError } from '../model/error.ts';
import {
  exists,
  makeFolder,
  moveIntoPlace,
  namesIn,
  readBytes,
  removeTree,
  temporaryName,
  writeAtomically,
} from './files.ts';

/** A file of apt's that lists repositories. */
interface RepositoryFile {
  /** Without folders; ends in `.list` (one line per repository) or `.sources` (deb822 paragraphs). */
  readonly name: string;
  readonly text: string;
}

/** The same repositories, each one asked for source packages only. Options, keys, suites and what is switched off stay as they are. */
export function sourcesOnly({ name, text }: RepositoryFile): RepositoryFile {
  return { name, text: name.endsWith('.sources') ? paragraphsForSources(text) : linesForSources(text) };
}

/** @see sources.list(5), "One-Line-Style Format": `deb [ option=value … ] uri suite [component …]`. */
function linesForSources(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const entry = /^\s*deb(?:-src)?\s+(.*)$/.exec(line)?.[1];
    // A disc is registered by hand in the system's state, so no private state can ever read it.
    return entry === undefined || /^(\[[^\]]*\]\s*)?cdrom:/.test(entry) ? [] : [`deb-src ${entry}`];
  });
  return `${[...new Set(lines)].join('\n')}\n`;
}

/** @see sources.list(5), "deb822-Style Format": field names in any case, a value goes on in lines that begin with a blank, `#` lines are comments. */
function paragraphsForSources(text: string): string {
  return text.replaceAll(/^types[ \t]*:.*(?:\n(?:[ \t]+.*|#.*))*$/gim, 'Types: deb-src');
}

/**
 * Every list that the machine's apt reads.
 *
 * @param list  Absolute path of its `sources.list`.
 * @param parts Absolute path of its `sources.list.d`; neither need be there.
 * @throws {VbuildError} `debian-source` for a list that cannot be read.
 */
export function readRepositories(list: string, parts: string): RepositoryFile[] {
  // The names that apt itself reads; it skips all others.
  const names = namesIn(parts).filter((name) => /^[\w.-]+\.(list|sources)$/.test(name));
  const files = [
    ...(exists(list) ? [{ name: 'sources.list', file: list }] : []),
    ...names.map((name) => ({ name: `parts-${name}`, file: join(parts, name) })),
  ];
  return files.map(({ name, file }) => {
    try {
      return { name, text: readBytes(file).toString() };
    } catch (error) {
      throw new VbuildError('debian-source', 'List of apt repositories cannot be read', {
        where: { file },
        facts: { found: messageOf(error) },
        mend: 'make it readable for this user, or move it away',
        cause: error,
      });
    }
  });
}

/** Writes lists into a folder of `folder` and gives its path. It is named for what it holds (`revision`), so processes that see the same lists of repositories write the same files. */
export function writeRepositories(folder: string, revision: string, repositories: readonly RepositoryFile[]): string {
  const target = join(folder, `sources-${revision}`);
  if (exists(target)) return target;
  const aside = temporaryName(target);
  makeFolder(aside);
  for (const { name, text } of repositories) writeAtomically(join(aside, name), text);
  try {
    moveIntoPlace(aside, target);
  } catch (error) {
    removeTree(aside);
    if (!exists(target)) throw error;
  }
  return target;
}
