/** Which paths and link targets a manifest may name (pure). */
import { posix } from 'node:path';
import { leadsOut } from './places.ts';

/** Why a path, relative to a prefix, cannot stand in a manifest; undefined when it can. */
export function manifestPathProblem(path: string): string | undefined {
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) return 'not a plain relative path';
  if (!path.isWellFormed() || path.includes('\ufffd')) return 'not UTF-8';
  if (/\p{Cc}/u.test(path)) return 'a control character in the name';
  if (path.split('/').some((part) => Buffer.byteLength(part) > 255) || Buffer.byteLength(path) > 3000)
    return 'too long';
  return undefined;
}

/** Why a symlink may not point there, as far as its text alone tells; undefined when it may. */
export function linkTargetProblem(path: string, target: string): string | undefined {
  if (target === '' || posix.isAbsolute(target) || leadsOut(posix.join(posix.dirname(path), target)))
    return 'leads out of the prefix';
  return !target.isWellFormed() || /\p{Cc}/u.test(target) ? 'not a plain target' : undefined;
}
