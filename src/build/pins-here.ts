/** What the tools of this machine would make of the pins, for who looks and moves none. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, readLock } from '../buildfile/pins.ts';
import { currentGeneration } from '../install/generations.ts';
import type { PinsHere } from '../model/explanation.ts';
import { diskOf } from './disk.ts';
import type { ExplainRequest } from './explaining.ts';
import { type Facts, gatherFacts, toolsOf } from './facts.ts';
import { fullClosure } from './graph.ts';

/**
 * Tools are asked for their versions where something is neither installed nor on the disk, as a run asks them that has to compile.
 *
 * @returns Undefined where no pin would move.
 */
export async function pinsHere(
  packages: readonly Package[],
  { build, workspace, prefix, platform }: ExplainRequest,
  signal: AbortSignal,
): Promise<PinsHere | undefined> {
  const closure = fullClosure(packages);
  const disk = diskOf(build, workspace);
  const installed = currentGeneration(prefix)?.record?.packages;
  const lacking = ({ known }: Facts): Package[] =>
    [...known].flatMap(([one, { key }]) =>
      installed?.[one.name]?.key === key || disk.has(one.name, key) ? [] : [one],
    );
  const lock = readLock(workspace.lockFile);
  const stale = lacking(gatherFacts(closure, { lock, platform, workspace }));
  if (stale.length === 0) return undefined;
  const { probeTools } = await import('../compile/probe-tools.ts');
  const pins = lock.tools[platform] ?? {};
  const found = await probeTools(stale.flatMap(toolsOf), signal);
  const moved = Object.entries(found).flatMap(([tool, here]) => {
    const before = pins[tool];
    return here === 'missing' || before === undefined || before === here.version
      ? []
      : [{ tool, before, now: here.version }];
  });
  if (moved.length === 0) return undefined;
  const tools = { ...pins, ...Object.fromEntries(moved.map(({ tool, now }) => [tool, now])) };
  const otherwise: Lock = { ...lock, tools: { ...lock.tools, [platform]: tools } };
  const still = lacking(gatherFacts(closure, { lock: otherwise, platform, workspace }));
  return { moved, ready: stale.filter((one) => !still.includes(one)).map(packageId) };
}
