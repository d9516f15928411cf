/** THE TABLE of options: every one of them once, with the commands that it applies to. */
import { cacheOptions } from './cache-options.ts';
import type { CommandName } from './command-table.ts';
import { explainOptions } from './explain-options.ts';
import { deployOptions } from './deploy-options.ts';
import { patchOptions } from './patch-options.ts';
import { handOptions } from './hand-options.ts';

export interface OptionRow {
  /** Long name without its dashes; its camel-case form is the key in the parsed options. */
  readonly name: string;
  readonly short?: string;
  /** `flag` has no value; `count` is a whole number from 1 on, `number` one from 0 on; `text` is any text that is not empty. */
  readonly type: 'flag' | 'count' | 'number' | 'decimal' | 'text';
  /** The only values that a `text` may have. */
  readonly choices?: readonly string[];
  /** Whether every value counts where it is given more than once; of any other option the last one does. */
  readonly several?: true;
  /** How the value is called on help pages. */
  readonly value?: string;
  readonly summary: string;
  /** The commands it applies to. */
  readonly commands: readonly CommandName[] | 'all';
}

const caching = ['cache push', 'cache ls', 'cache prove', 'cache gc'] as const;
const releasing = ['release create', 'release diff', 'release drop'] as const;
const switching = ['rollback', 'generations', 'verify'] as const;
const patching = ['patch check', 'patch edit', 'patch save', 'patch rebase'] as const;
const helping = ['clean', 'doctor', 'eject'] as const;
const explaining = ['plan', 'why', 'status', 'graph', 'report', 'log'] as const;
const parts = ['sbom', 'legal'] as const;
const working = ['build', 'lock', 'update', ...patching, ...caching, ...parts] as const;
/** Those that read a Buildfile and print something of their own. */
const telling = [
  'build',
  'check',
  'install',
  ...switching,
  ...releasing,
  'list',
  'show',
  'init',
  'env',
  'lock',
  'update',
  ...patching,
  ...caching,
  ...parts,
  ...helping,
  ...explaining,
] as const;
/** And those that leave the printing to another program. */
const reading = [...telling, 'exec', 'shell'] as const;

export const optionTable = [
  {
    name: 'file',
    short: 'f',
    type: 'text',
    value: 'FILE',
    summary: 'read FILE as the Buildfile (default: Buildfile.ts)',
    commands: reading,
  },
  {
    name: 'directory',
    short: 'C',
    type: 'text',
    value: 'DIR',
    summary: 'change to DIR first; other relative paths are relative to it',
    commands: [...reading, 'patch apply', 'key new'],
  },
  {
    name: 'jobs',
    short: 'j',
    type: 'count',
    value: 'N',
    summary: 'run at most N jobs at once (default: the number of processors)',
    commands: ['shell', 'build', 'plan', 'verify'],
  },
  {
    name: 'load-average',
    short: 'l',
    type: 'decimal',
    value: 'N',
    summary: 'start nothing further while the load average is N or more and something runs',
    commands: ['build'],
  },
  {
    name: 'spare-memory',
    type: 'number',
    value: 'MIB',
    summary: 'start no further package while less than MIB of memory are left (default: 256)',
    commands: ['build'],
  },
  {
    name: 'keep-going',
    short: 'k',
    type: 'flag',
    summary: 'after a failure go on with the packages that do not need the failed one',
    commands: ['build'],
  },
  {
    name: 'prefix',
    type: 'text',
    value: 'DIR',
    summary: 'the prefix to install into or to use (default: vendor beside the Buildfile)',
    commands: ['doctor', 'build', 'exec', 'env', 'plan', 'why', 'status', 'graph', 'check', 'install', ...switching],
  },
  {
    name: 'work',
    type: 'text',
    value: 'DIR',
    summary: 'keep trees, stamps and logs in DIR (default: .vbuild beside the Buildfile)',
    commands: ['shell', ...helping, ...working, ...explaining, 'check', 'verify'],
  },
  {
    name: 'cache-dir',
    type: 'text',
    value: 'DIR',
    summary: "keep the disk cache in DIR (default: vbuild in the user's cache folder)",
    commands: [
      'shell',
      'doctor',
      ...working,
      'plan',
      'why',
      'status',
      'graph',
      'check',
      'install',
      'release create',
      'verify',
    ],
  },
  {
    name: 'lock',
    type: 'text',
    value: 'FILE',
    summary: 'use FILE as the lock file (default: Buildfile.lock beside the Buildfile)',
    commands: [
      'eject',
      'shell',
      'doctor',
      ...working,
      'show',
      'plan',
      'why',
      'status',
      'graph',
      'check',
      'install',
      'release create',
      'verify',
    ],
  },
  {
    name: 'frozen',
    type: 'flag',
    summary: 'never write the lock file: what is not pinned, or differs from its pin, is an error',
    commands: ['build', 'plan'],
  },
  {
    name: 'offline',
    type: 'flag',
    summary: 'open no network connection',
    commands: ['shell', 'doctor', ...working, 'check', 'install', 'release create', 'plan', 'why', 'status', 'verify'],
  },
  {
    name: 'no-cache',
    type: 'flag',
    summary: 'look up nothing in caches: build all that is stale from source',
    commands: ['build', 'plan'],
  },
  {
    name: 'push',
    type: 'flag',
    summary: 'upload what was built to the caches of the Buildfile; a failed upload ends with status 5',
    commands: ['doctor', 'build', 'plan', 'release create'],
  },
  ...cacheOptions,
  {
    name: 'no-install',
    type: 'flag',
    summary: 'be content with artifacts, leave the prefix alone',
    commands: ['build', 'check', 'plan'],
  },
  {
    name: 'no-build',
    type: 'flag',
    summary: 'never compile: what no cache has ends with status 3',
    commands: ['build', 'plan'],
  },
  {
    name: 'install-tools',
    type: 'flag',
    summary: 'install missing compilers and tools with apt-get first, as root or by sudo',
    commands: ['build'],
  },
  {
    name: 'sandbox',
    type: 'text',
    value: 'WHEN',
    choices: ['auto', 'require', 'off'],
    summary:
      'lock steps in, without network and home: auto (where possible, the default), require (or nothing is compiled) or off',
    commands: ['build', 'verify'],
  },
  ...patchOptions,
  {
    name: 'dry-run',
    short: 'n',
    type: 'flag',
    summary: 'only say what would be done, and why, as "vbuild plan" does',
    commands: ['clean', 'build', 'cache gc'],
  },
  ...deployOptions,
  {
    name: 'cache',
    type: 'flag',
    summary:
      'ask the caches of the Buildfile; for why: and compare with the nearest artifact of all on the disk and in them',
    commands: ['why', 'status'],
  },
  ...explainOptions,
  ...handOptions,
  {
    name: 'quiet',
    short: 's',
    type: 'flag',
    summary: 'print warnings and errors only',
    commands: [...working, 'check', 'install', 'patch apply', 'verify'],
  },
  {
    name: 'verbose',
    type: 'flag',
    summary:
      'print every step and every cache look-up as well; in logs of GitHub and GitLab, folded, what steps print too',
    commands: [...working, 'install', 'verify'],
  },
  {
    name: 'json',
    type: 'flag',
    summary: 'write JSON to stdout: results, or while building one event per line',
    commands: [...telling, 'patch apply', 'key new', 'help', 'version'],
  },
  { name: 'help', short: 'h', type: 'flag', summary: 'show the help page', commands: 'all' },
  { name: 'version', type: 'flag', summary: 'print the version of vbuild', commands: 'all' },
] as const satisfies readonly OptionRow[];

/** Whether an option is one of a command's. */
export const applies = ({ commands }: OptionRow, command: string): boolean =>
  commands === 'all' || commands.some((name) => name === command);

/** Pairs of options that contradict each other. */
export const conflicts: readonly (readonly [OptionName, OptionName])[] = [
  ['quiet', 'verbose'],
  ['follow', 'json'],
  ['from', 'push'],
  ['from', 'no-build'],
  ['from', 'dry-run'],
  ['offline', 'push'],
  ['no-cache', 'no-build'],
  ['dry-run', 'question'],
  ['continue', 'abort'],
  ['rebuild', 'prefix'],
  ...eachTwoOf('svg', 'dot', 'mermaid', 'json'),
];

function eachTwoOf(...names: readonly OptionName[]): (readonly [OptionName, OptionName])[] {
  return names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other] as const));
}

export type OptionName = (typeof optionTable)[number]['name'];
