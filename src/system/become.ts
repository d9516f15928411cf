/** Turns this process into another program: same process id, same signals, its exit status is ours. */
import { chdir, execve } from 'node:process';

/**
 * @param file Absolute path of the program.
 * @param argv With the name under which it is called.
 */
export function becomeProgram(
  file: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): never {
  chdir(cwd);
  const defined = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  if (execve === undefined) throw new Error('this Node cannot become another program');
  execve(file, [...argv], defined);
  throw new Error('execve returned');
}
