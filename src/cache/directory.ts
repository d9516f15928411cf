/** A folder, perhaps on a network file system, as a cache tier. */
import { resolve } from 'node:path';
import type { FolderTrouble } from '../system/folder-objects.ts';
import type { Trouble } from './asking.ts';
import type { CacheTier } from './cache.ts';
import type { DirectoryCacheSpec } from './directory-spec.ts';
import { objectTier } from './object-tier.ts';
import { type Patience, defaultPatience } from './patience.ts';
import type { Trust } from './trust.ts';

/** @param folder Absolute folder that a relative path starts at. */
export function directoryTier(
  { path }: DirectoryCacheSpec,
  folder: string,
  { trust, patience = defaultPatience }: { readonly trust?: Trust | undefined; readonly patience?: Patience } = {},
): CacheTier {
  const top = resolve(folder, path);
  return objectTier(
    {
      name: top,
      writable: true,
      fillable: async (signal) => (await import('../system/folder-objects.ts')).mayWriteIn(top, patience, signal),
      pages: false,
      within: (object) => object,
      shown: (object) => resolve(top, object),
      open: async () => (await import('../system/folder-objects.ts')).openFolder(top, patience),
      judge: (thrown) => folderTrouble(thrown as Thrown, top),
    },
    trust,
    patience,
  );
}

const reasons: Readonly<Record<string, readonly [reason: string, mend: string, lasting: boolean]>> = {
  ENOTCONN: ['the folder is not there', 'make it, or mount it', true],
  ENOTDIR: ['it is not a folder', 'correct the path', true],
  EACCES: ['access is denied', 'give this user the right to use the folder', false],
  EPERM: ['access is denied', 'give this user the right to use the folder', false],
  EROFS: ['the file system is read-only', 'mount it for writing, or leave out --push', false],
  ENOSPC: ['the file system is full', 'make room with vbuild cache gc, or by hand', false],
  EDQUOT: ['the quota is used up', 'make room with vbuild cache gc, or by hand', false],
};

type Thrown = Pick<Error, 'name' | 'message'> & Partial<Pick<FolderTrouble, 'errno'>>;

/** The verdict on what a folder threw. @param top Absolute. */
export function folderTrouble({ name, message, errno = '' }: Thrown, top: string): Trouble {
  if (name === 'Damaged') return { outcome: 'rejected', reason: message, mend: 'remove the object' };
  if (errno === 'ENOENT') return { outcome: 'absent' };
  const slow = name === 'TimeoutError';
  const [reason, mend, everywhere] = reasons[errno] ?? [
    slow ? 'the file system does not answer' : message,
    `look after the file system of ${top}`,
    true,
  ];
  return { outcome: 'unreachable', reason, mend, everywhere, passing: errno === 'ESTALE' || errno === 'EIO' };
}
