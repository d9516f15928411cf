/** Errors of the system for which the machine is at fault, as problems that the user can mend (pure). */
import { VbuildError } from './error.ts';

const accessMend =
  'give this user access to the path, run as its owner, or name other folders with --work, --cache-dir and --prefix';

/** What the system says when the machine, not vbuild, is at fault, by error number. */
const diskHeadlines: Readonly<Record<string, readonly [headline: string, mend: string]>> = {
  ENOSPC: [
    'Disk is full',
    'free some space there, or name folders on another disk with --work, --cache-dir and --prefix',
  ],
  EDQUOT: [
    'Disk quota is used up',
    'free some space there, or name folders on another disk with --work, --cache-dir and --prefix',
  ],
  EROFS: ['File system is read-only', 'name folders that can be written with --work, --cache-dir and --prefix'],
  EACCES: ['Permission is denied', accessMend],
  EPERM: ['Operation is not permitted', accessMend],
  ENOTDIR: [
    'Something else lies where a folder is needed',
    'move it away, or name other folders with --work, --cache-dir and --prefix',
  ],
  EISDIR: ['A folder lies where a file is needed', 'move it away, or name another file'],
  ELOOP: ['Symbolic links lead round in a circle', 'mend the links, or name another path'],
  ENAMETOOLONG: ['Path is too long', 'choose a shorter one'],
  EIO: ['Disk reports an input or output error', 'look into the log of the kernel; the disk may be failing'],
  EMFILE: ['Too many files are open', 'raise the limit with ulimit -n'],
  ENFILE: ['Too many files are open on this machine', 'raise the limit of the system'],
};

/** What the system said about a file, a disk or a limit; undefined for anything else that is thrown. */
export function diskTrouble(thrown: unknown): VbuildError | undefined {
  if (!(thrown instanceof Error) || !('syscall' in thrown) || !('code' in thrown)) return undefined;
  const { path, dest, syscall, code } = thrown as NodeJS.ErrnoException & { readonly dest?: string };
  // Of what is no folder, a link that leads nowhere among it, making one says only that it exists.
  const said = code === 'EEXIST' && syscall === 'mkdir' ? 'ENOTDIR' : (code ?? '');
  const [headline, mend] = diskHeadlines[said] ?? [];
  if (headline === undefined || mend === undefined) return undefined;
  // Of what copies and moves, it is the place to write to that is full or read-only.
  const file = dest !== undefined && ['ENOSPC', 'EDQUOT', 'EROFS'].includes(code ?? '') ? dest : path;
  const where = file === undefined ? {} : { file };
  return new VbuildError('disk-trouble', headline, { where, facts: { operation: `${syscall}` }, mend, cause: thrown });
}
