/** The rows of the commands that deployments call; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const deployCommands = [
  {
    name: 'check',
    takes: 'targets',
    summary: 'say whether the prefix holds what is asked for, and what the caches have of the rest',
    description: [
      'Ends with status 0 when the prefix holds every TARGET (or the defaults of the Buildfile) as the Buildfile and the lock file have them now. Otherwise it prints, for each package of the closure, whether it is installed, available in a cache, unfit for this host, or missing. It ends with status 4 when nothing is missing but an artifact is unfit, and else with status 3.',
      'Nothing is written, compiled or pinned. Caches are asked only for what the prefix does not hold; with --offline only the disk is. With --no-install the prefix counts for nothing: what a cache has is ready.',
      'Without pins for this platform it ends with status 2: then nobody can tell what to ask for. "vbuild -q TARGET" is the same.',
    ],
    examples: [
      ['vbuild check pil --prefix /srv/shop/vendor', 'whether a site has its PIL'],
      ['vbuild check pil --no-install', 'before a deployment: whether all of it could be installed'],
      ['vbuild check --json', 'the same for a program to read'],
    ],
  },
] as const satisfies readonly CommandRow[];
