/** How much a file system can still take. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { exists } from './files.ts';

interface DiskRoom {
  readonly freeBytes: number;
  /** Undefined for a file system that makes them as it needs them. */
  readonly freeFiles: number | undefined;
}

/** Of the file system of a path, or of the nearest folder above it that is there. For this user: what is kept for root does not count. */
export function diskRoom(path: string): DiskRoom {
  if (!exists(path) && dirname(path) !== path) return diskRoom(dirname(path));
  const { bavail, bsize, files, ffree } = statfsSync(path);
  return { freeBytes: bavail * bsize, freeFiles: files === 0 ? undefined : ffree };
}
