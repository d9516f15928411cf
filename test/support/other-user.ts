/** The real command run by another user, who has no rights of ours: only root can start it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { removeTree, type WithCleanUp } from './temp.ts';
import { checkout, type Ended, type RunOptions, runProgram, vbuildBin } from './vbuild.ts';

/** For `test(…, { skip })`. */
export const skipUnlessRoot: string | false = process.getuid?.() === 0 ? false : 'only root can become another user';

/** `nobody` by convention, everywhere the same number; it owns nothing. */
const id = '65534';
const become = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--'];

export interface OtherUser {
  /** Absolute path of a folder of this user's own; gone when the test ends. */
  readonly folder: string;
  /** Gives a folder and all in it to this user. */
  give(path: string): void;
  /** Runs vbuild as this user, under a umask. */
  run(args: readonly string[], options: RunOptions & { readonly umask?: string }): Promise<Ended>;
}

export function otherUser(t: WithCleanUp): OtherUser {
  const folder = realpathSync(mkdtempSync(join(publicFolder(), 'other-user-')));
  t.after(() => removeTree(folder));
  const give = (path: string): void => {
    chownSync(path, Number(id), Number(id));
    if (!statSync(path).isDirectory()) return;
    for (const entry of readdirSync(path)) give(join(path, entry));
  };
  give(folder);
  const vbuild = readableCommand(folder);
  return {
    folder,
    give,
    run: (args, { umask = '022', env, ...options }) =>
      runProgram([...become, 'sh', '-c', `umask ${umask} && exec "$@"`, 'sh', vbuild, ...args], {
        ...options,
        env: { TMPDIR: folder, ...env },
      }),
  };
}

/** The nearest folder above the temporary one where everybody may write: that one itself is closed to others under the runner. */
function publicFolder(): string {
  for (let folder = tmpdir(); folder !== '/'; folder = dirname(folder))
    if ((statSync(folder).mode & 0o1007) === 0o1007) return folder;
  return '/tmp';
}

/** The command, or a copy of it where it lies in a folder that is closed to others. */
function readableCommand(into: string): string {
  if (vbuildBin.startsWith(`${checkout}/bin/`)) return join(readableCheckout(into), 'bin/vbuild');
  cpSync(vbuildBin, join(into, 'vbuild'));
  return join(into, 'vbuild');
}

/** The checkout, or a copy of what runs of it. */
function readableCheckout(into: string): string {
  const node = realpathSync(process.execPath);
  const readable = [join(checkout, 'package.json'), node].every(
    (file) => spawnSync(become[0] ?? '', [...become.slice(1), 'test', '-r', file]).status === 0,
  );
  if (readable) return checkout;
  const copy = join(into, 'vbuild');
  const parts = /^(bin|src|node_modules|package\.json)(\/|$)/;
  // Tools for this project's own checks, two thirds of all.
  const tools =
    /^node_modules\/(\.bin|@biomejs|@oxlint|@oxlint-tsgolint|@typescript|@types|typescript|oxlint|fast-check)(\/|$)/;
  cpSync(checkout, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter(file) {
      const path = relative(checkout, file);
      return path === '' || (parts.test(path) && !tools.test(path));
    },
  });
  execFileSync('chmod', ['-R', 'a+rX', copy]);
  chmodSync(into, 0o755);
  return copy;
}
