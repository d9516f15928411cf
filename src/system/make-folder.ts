/** Folders made where they are lacking. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** With all above it; nothing where it is there. @throws the system's error, with its true reason. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // So Node calls a file system that is read-only: what the first lacking folder gives is the truth.
    let lacking = path;
    while (!existsSync(dirname(lacking))) lacking = dirname(lacking);
    mkdirSync(lacking);
    mkdirSync(path, { recursive: true });
  }
}
