/** Looks for tools on this machine, exactly where the steps will look for them. */
import { systemPath } from '../system/user-environment.ts';
import { type FoundTool, type ToolName, toolNamed } from './tools.ts';

/**
 * The version of each tool, or `missing` for one that is not there, does not run, or lacks what it cannot work without.
 * The caller's own PATH plays no part.
 *
 * @throws when `signal` is aborted meanwhile.
 */
export async function probeTools<Name extends ToolName>(
  names: readonly Name[],
  signal: AbortSignal,
): Promise<Record<Name, FoundTool>> {
  const { run } = await import('../system/process.ts');
  const env = { PATH: systemPath, LC_ALL: 'C', HOME: '/nonexistent' };
  const probe = async (name: Name): Promise<readonly [Name, FoundTool]> => {
    const { argv, version } = toolNamed(name);
    const { exitStatus, stdout } = await run({ argv, cwd: '/', env, signal, timeoutMs: 30_000 });
    const groups = exitStatus === 0 ? version.exec(stdout)?.slice(1) : undefined;
    return [name, groups === undefined ? 'missing' : { version: groups.join(' ') }];
  };
  const found = await Promise.all([...new Set(names)].map(probe));
  signal.throwIfAborted();
  return Object.fromEntries(found) as Record<Name, FoundTool>;
}
