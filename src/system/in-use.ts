/** Which folders running processes use, as far as this user may know. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * Those of the folders in which a process was started, from which it has loaded code, or which its environment names. Only root sees the
 * processes of other users.
 *
 * @param folders Absolute.
 */
export function foldersInUse(folders: readonly string[]): ReadonlySet<string> {
  const used = new Set<string>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const told = [link(`/proc/${pid}/cwd`), text(`/proc/${pid}/maps`), text(`/proc/${pid}/environ`)];
    for (const folder of folders) if (told.some((one) => `${one}/`.includes(`${folder}/`))) used.add(folder);
  }
  return used;
}

/** A process may be gone, or another user's. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
