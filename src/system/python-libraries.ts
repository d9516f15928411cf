/** What the Python of this host has in memory before it runs anything. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const program = "print(*{line.split()[-1] for line in open('/proc/self/maps') if '.so' in line}, sep='\\n')";

/**
 * Absolute paths of the libraries that a Python maps at start; undefined on a host without one.
 * Not by the door to child processes, because it starts nothing, and what that one loads takes longer than this.
 *
 * @param searchPath The PATH on which it is looked up.
 */
export async function pythonLibraries(searchPath: string, signal: AbortSignal): Promise<string[] | undefined> {
  try {
    const env = { PATH: searchPath, LC_ALL: 'C' };
    const { stdout } = await promisify(execFile)('python3', ['-I', '-c', program], { cwd: '/', env, signal });
    return stdout.trimEnd().split('\n');
  } catch {
    return undefined;
  }
}
