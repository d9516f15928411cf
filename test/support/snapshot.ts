/** Everything that lies below a folder, so that a test can say that nothing was written. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** By path: kind, mode, times of change, and content. @param without Paths that are left out, with all below them. */
export function snapshot(top: string, without: readonly string[] = []): Record<string, string> {
  const seen: Record<string, string> = {};
  const visit = (path: string): void => {
    if (without.includes(path)) return;
    const stat = lstatSync(join(top, path), { bigint: true });
    const content = stat.isSymbolicLink()
      ? readlinkSync(join(top, path))
      : stat.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(top, path)))
            .digest('hex')
        : readdirSync(join(top, path)).sort().join('/');
    seen[path] = [stat.mode.toString(8), stat.mtimeNs, stat.ctimeNs, content].join(' ');
    if (stat.isDirectory())
      for (const name of readdirSync(join(top, path))) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return seen;
}
