/** How a step learns how many jobs it may run: from the pool of tokens where its tool can ask there, else by a fixed share (pure). */
import { type Step, place } from './recipe.ts';

export type Sharing =
  /** Through a named pipe, which `fifo` stands for in `MAKEFLAGS`; `words` is the command with no number of its own left in it. */
  | { readonly by: 'fifo'; readonly run: Step['run'] }
  /** Through a descriptor. */
  | { readonly by: 'descriptor' }
  /** As many as are free when it starts, for the whole step. */
  | { readonly by: 'share' }
  /** One job, whatever it runs. */
  | { readonly by: 'nothing' };

interface SharingFacts {
  /** Values of the environment as the recipe has them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Pinned versions, by tool name. */
  readonly tools: Readonly<Record<string, string>>;
  /** Whether the pool has a name that the step can open. */
  readonly named: boolean;
}

/**
 * Only groups that are made for it get any jobs: configure starts its makes through programs that close the pool's descriptor, and
 * many a makefile that builds in parallel does not install so.
 *
 * GNU make learned to open the pool by name with 4.4, ninja to use one at all with 1.13, and by name only.
 */
export function sharing({ group, run }: Step, { environment, tools, named }: SharingFacts): Sharing {
  const works = group === 'build' || group === 'check';
  if (typeof run !== 'string' && run[0] === 'ninja' && named && works && isAtLeast(tools['ninja'], 1, 13))
    return { by: 'fifo', run: withoutNumber(run) };
  const says = (text: string): boolean => text.includes(place.jobs);
  const asks = typeof run === 'string' ? says(run) : run.some(says);
  if (asks || (works && Object.values(environment).some(says))) return { by: 'share' };
  if (!works) return { by: 'nothing' };
  return named && isAtLeast(tools['make'], 4, 4) ? { by: 'fifo', run } : { by: 'descriptor' };
}

/** A number given to ninja would make it leave the pool. */
const withoutNumber = (run: readonly string[]): readonly string[] =>
  run.filter(
    (word, at) => word !== `-j${place.jobs}` && word !== place.jobs && !(word === '-j' && run[at + 1] === place.jobs),
  );

function isAtLeast(version: string | undefined, major: number, minor: number): boolean {
  const [found = 0, then = 0] = (version ?? '').split('.').map((part) => Number.parseInt(part, 10));
  return found > major || (found === major && then >= minor);
}
