/** Decides what of a stranger's archive may land in a tree: pure, it knows names and links but touches no disk. */
import { VbuildError } from '../model/error.ts';

/** What an archive may grow to; generous for real source trees, small beside a disk. */
export const archiveLimits = {
  /** Members of all types, headers of the format itself not counted. */
  members: 500_000,
  /** Bytes of the decompressed stream, and of the files written (a copy counts for each of its names). */
  unpackedBytes: 32 * 2 ** 30,
  /** Unpacked bytes per packed byte; looked at only past `ratioFromBytes`, because small honest files of zeros exceed any ratio. */
  ratio: 1000,
  ratioFromBytes: 64 * 2 ** 20,
} as const;

type MemberType = 'file' | 'directory' | 'symlink';

/** An archive is refused as a whole, for one member of it or (without `member`) for its frame. */
export const archiveRefused = (member: string | undefined, reason: string, cause?: unknown): VbuildError =>
  new VbuildError('archive-refused', 'Archive is refused', {
    facts: { ...(member === undefined ? {} : { member: JSON.stringify(member) }), reason },
    mend: 'compare the archive with what upstream published; if it is upstream’s own, report it there and use another release or form of the source',
    cause,
  });

/**
 * The parts of a member's name, `.` and empty ones dropped; none for the top itself.
 *
 * @throws {VbuildError} `archive-refused` for a name that is absolute, climbs, or cannot be written exactly.
 */
export function nameParts(name: string): string[] {
  // As nearly every name is: nothing to drop, nothing to refuse.
  if (plainName.test(name)) return name.split('/');
  if (name.startsWith('/')) throw archiveRefused(name, 'its name is absolute');
  // A decoder puts U+FFFD where bytes are no UTF-8: the true name is lost, so the file would land under another one.
  if (name.includes('\uFFFD')) throw archiveRefused(name, 'its name is not UTF-8');
  if (name.includes('\0')) throw archiveRefused(name, 'its name holds a zero byte');
  const parts = partsOf(name);
  if (parts.includes('..')) throw archiveRefused(name, 'its name climbs with ".."');
  return parts;
}

/** The parts of a relative path, `.` and empty ones dropped. */
export const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/** ASCII parts that begin with no dot, one slash between them. */
const plainName = /^[\w+-][\w.+-]*(?:\/[\w+-][\w.+-]*)*$/;

/** Everything admitted so far, by path; refuses what would overwrite, or be written through, an earlier member. */
export class MemberTable {
  readonly #types = new Map<string, MemberType>();
  readonly #links = new Map<string, string>();

  /**
   * @returns The folders to make first, outermost first; and whether the member itself is still to be made (a folder may come twice).
   * @throws {VbuildError} `archive-refused`
   */
  add(
    name: string,
    parts: readonly string[],
    type: MemberType,
    target = '',
  ): { readonly folders: readonly string[]; readonly isNew: boolean } {
    const folders: string[] = [];
    const path = parts.join('/');
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const there = this.#types.get(folder);
      if (there === 'directory') break;
      if (there !== undefined)
        throw archiveRefused(name, `it lies below ${JSON.stringify(folder)}, which is a ${there}`);
      folders.unshift(folder);
    }
    const there = this.#types.get(path);
    if (there === 'directory' && type === 'directory') return { folders: [], isNew: false };
    if (there !== undefined) throw archiveRefused(name, `an earlier member (a ${there}) has the same name`);
    for (const folder of folders) this.#types.set(folder, 'directory');
    this.#types.set(path, type);
    if (type === 'symlink') {
      if (target === '') throw archiveRefused(name, 'it is a symlink to nowhere');
      if (target.includes('\uFFFD')) throw archiveRefused(name, 'the target of the symlink is not UTF-8');
      if (target.startsWith('/'))
        throw archiveRefused(name, `it is a symlink to an absolute place: ${JSON.stringify(target)}`);
      this.#links.set(path, target);
    }
    if (this.#types.size > archiveLimits.members)
      throw archiveRefused(name, `the archive has more than ${archiveLimits.members} members`);
    return { folders, isNew: true };
  }

  typeOf(path: string): MemberType | undefined {
    return this.#types.get(path);
  }

  get size(): number {
    return this.#types.size;
  }

  /** The only thing at the top, if it is a folder. */
  soleTopFolder(): string | undefined {
    let sole: string | undefined;
    for (const [path, type] of this.#types) {
      if (path.includes('/')) continue;
      if (sole !== undefined || type !== 'directory') return undefined;
      sole = path;
    }
    return sole;
  }

  /**
   * Refuses symlinks that lead out of the tree once all members are known: an innocent-looking target may climb by way of another link.
   *
   * @param root The folder that becomes the tree, relative to the top; links outside of it do not count.
   */
  refuseStrayLinks(root: string): void {
    for (const [path, target] of this.#links)
      if ((root === '' || path.startsWith(`${root}/`)) && leadsOut(path, target, this.#links, root))
        throw archiveRefused(path, `it is a symlink that leads out of the tree: ${JSON.stringify(target)}`);
  }
}

/** Whether following a symlink the way the kernel does ever steps above `root`; dangling and circular links inside do not. */
export function leadsOut(path: string, target: string, links: ReadonlyMap<string, string>, root = ''): boolean {
  const floor = root === '' ? 0 : root.split('/').length;
  const at = path.split('/').slice(0, -1);
  const ahead = target.split('/').reverse();
  if (target.startsWith('/')) return true;
  for (let hops = 0, part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.length <= floor) return true;
      at.pop();
      continue;
    }
    at.push(part);
    const next = links.get(at.join('/'));
    if (next === undefined) continue;
    // The kernel gives up after 40 links (ELOOP), so what lies beyond is never reached.
    if ((hops += 1) > 40) return false;
    if (next.startsWith('/')) return true;
    at.pop();
    ahead.push(...next.split('/').reverse());
  }
  return false;
}
