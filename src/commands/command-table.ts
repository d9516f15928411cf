/** THE TABLES of the command line: every command and every option once; the parser, the help pages and completions read them. */

export interface CommandRow {
  readonly name: string;
  /** What may follow the name: nothing, any number of packages, at least one, one command's name, or a foreign command after `--`. */
  readonly takes: 'nothing' | 'targets' | 'some-targets' | 'command' | 'command-line';
  readonly summary: string;
  /** Paragraphs for the help page; each is filled to the width of the page. */
  readonly description: readonly string[];
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
}

export interface OptionRow {
  /** Long name without its dashes; its camel-case form is the key in the parsed options. */
  readonly name: string;
  readonly short?: string;
  /** `flag` has no value; `count` is a whole number from 1 on; `text` is any text that is not empty. */
  readonly type: 'flag' | 'count' | 'text';
  /** How the value is called on help pages. */
  readonly value?: string;
  readonly summary: string;
  /** The commands it applies to. */
  readonly commands: readonly CommandName[] | 'all';
}

export type CommandName = (typeof commandTable)[number]['name'];

export const commandTable = [
  {
    name: 'build',
    takes: 'targets',
    summary: 'build packages and install them into the prefix (the default command)',
    description: [
      'Makes every TARGET usable: each package of its closure is taken from a cache if an artifact with its content key is there, else it is fetched, patched, compiled and packed; then the closure is installed into the prefix. Without a TARGET it does this for the defaults of the Buildfile.',
      'What is fresh is left alone, and a run in which everything is fresh does nothing and says so. For everything that is done the reason is shown.',
      'The prefix is a symbolic link to one generation of its content. The link is switched at the very end, with one rename, so a failed or interrupted run leaves the prefix as it was.',
      '"vbuild TARGET" is short for "vbuild build TARGET".',
    ],
    examples: [
      ['vbuild', 'build and install the defaults of ./Buildfile.ts'],
      ['vbuild pil', 'build and install pil and everything that it needs'],
      ['vbuild pil --prefix /srv/site/vendor', 'the same into another prefix'],
      ['vbuild pil --install-tools', 'first install the missing compilers and tools with apt-get'],
      ['vbuild pil --frozen --push', 'what CI runs: insist on the lock file, fill the bucket'],
      ['vbuild pil --no-build', 'what a server runs: only artifacts that are ready, never a compiler'],
    ],
  },
  {
    name: 'list',
    takes: 'nothing',
    summary: 'list the packages of the Buildfile',
    description: [
      'Prints one line for each package: name, version, where its source comes from, and what it depends on. Nothing is fetched.',
    ],
    examples: [
      ['vbuild list', 'the packages of ./Buildfile.ts'],
      ['vbuild list --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'show',
    takes: 'some-targets',
    summary: 'show what is known about packages: source, pin, patches, exact steps, environment',
    description: [
      'Prints everything that decides the build of each TARGET: source and pin, patches in their order, dependencies, tools, and the steps with the exact environment that they see. A place that differs from build to build is shown as a symbol, such as @prefix@. Nothing is fetched or compiled.',
    ],
    examples: [
      ['vbuild show pil', 'how pil is built'],
      ['vbuild show pil --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'init',
    takes: 'nothing',
    summary: 'write a first Buildfile, with typings for the editor',
    description: [
      'Writes a small, commented Buildfile, and beside it what an editor needs to check and complete it without a node_modules folder. A file that is already there is never overwritten.',
    ],
    examples: [
      ['vbuild init', 'write ./Buildfile.ts'],
      ['vbuild init -C vendored', 'write vendored/Buildfile.ts'],
    ],
  },
  {
    name: 'exec',
    takes: 'command-line',
    summary: 'run a command that sees the prefix',
    description: [
      'Runs COMMAND with PATH, PYTHONPATH, PKG_CONFIG_PATH and the like set for the prefix, and ends with its exit status. The link of the prefix is resolved once, at the start: the command stays in one generation, whatever is installed while it runs.',
      'All that follows "--" belongs to COMMAND, its options included.',
    ],
    examples: [
      [`vbuild exec -- python3 -c 'import PIL'`, 'a Python that finds the PIL of the prefix'],
      ['vbuild exec --prefix /srv/site/vendor -- cjpeg -version', 'a program of another prefix'],
    ],
  },
  {
    name: 'env',
    takes: 'nothing',
    summary: 'print the environment of the prefix as shell assignments',
    description: ['Prints what "vbuild exec" sets, as export lines for a POSIX shell.'],
    examples: [
      ['eval "$(vbuild env)"', 'use the prefix in the running shell'],
      ['vbuild env --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'lock',
    takes: 'targets',
    summary: 'pin sources and tools in the lock file, build nothing',
    description: [
      'Resolves the sources of every TARGET (all packages when none is given) that have no pin yet, and writes the pins to the lock file beside the Buildfile. Pins that are there are never moved.',
    ],
    examples: [
      ['vbuild lock', 'pin all packages of ./Buildfile.ts'],
      ['vbuild lock pil', 'pin pil and what it needs'],
    ],
  },
  {
    name: 'update',
    takes: 'targets',
    summary: 'pin sources anew, and print what moved',
    description: [
      'Resolves the source of every TARGET (of all packages when none is given) as if it had no pin, writes what it stands for now to the lock file, and prints what was pinned before and after. Other pins stay as they are; nothing is built.',
    ],
    examples: [
      ['vbuild update pil', 'move to what the source of pil stands for today'],
      ['vbuild update', 'the same for all packages of ./Buildfile.ts'],
    ],
  },
  {
    name: 'help',
    takes: 'command',
    summary: 'show this page, or the page of a command',
    description: ['Prints the help page of COMMAND, or the overview. "vbuild COMMAND --help" is the same.'],
    examples: [['vbuild help exec', 'the page of exec']],
  },
  {
    name: 'version',
    takes: 'nothing',
    summary: 'print the version of vbuild',
    description: ['Prints the version of vbuild, and of the Node that runs it. "vbuild --version" is the same.'],
    examples: [],
  },
] as const satisfies readonly CommandRow[];

const working = ['build', 'lock', 'update'] as const;
const reading = ['build', 'list', 'show', 'init', 'exec', 'env', 'lock', 'update'] as const;

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
    commands: reading,
  },
  {
    name: 'jobs',
    short: 'j',
    type: 'count',
    value: 'N',
    summary: 'run at most N jobs at once (default: the number of processors)',
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
    commands: ['build', 'exec', 'env'],
  },
  {
    name: 'work',
    type: 'text',
    value: 'DIR',
    summary: 'keep trees, stamps and logs in DIR (default: .vbuild beside the Buildfile)',
    commands: working,
  },
  {
    name: 'cache-dir',
    type: 'text',
    value: 'DIR',
    summary: "keep the disk cache in DIR (default: vbuild in the user's cache folder)",
    commands: working,
  },
  {
    name: 'frozen',
    type: 'flag',
    summary: 'never write the lock file: what is not pinned, or differs from its pin, is an error',
    commands: ['build'],
  },
  {
    name: 'offline',
    type: 'flag',
    summary: 'open no network connection',
    commands: working,
  },
  {
    name: 'no-cache',
    type: 'flag',
    summary: 'look up nothing in caches: build all that is stale from source',
    commands: ['build'],
  },
  {
    name: 'push',
    type: 'flag',
    summary: 'upload what was built to the caches of the Buildfile; a failed upload ends with status 5',
    commands: ['build'],
  },
  {
    name: 'no-install',
    type: 'flag',
    summary: 'stop when the artifacts are packed; leave the prefix alone',
    commands: ['build'],
  },
  {
    name: 'no-build',
    type: 'flag',
    summary: 'never compile: what no cache has ends with status 3',
    commands: ['build'],
  },
  {
    name: 'install-tools',
    type: 'flag',
    summary: 'install missing compilers and tools with apt-get first, as root or by sudo',
    commands: ['build'],
  },
  {
    name: 'keep',
    type: 'flag',
    summary: 'keep the folders in which packages were compiled, to look into',
    commands: ['build'],
  },
  {
    name: 'quiet',
    short: 's',
    type: 'flag',
    summary: 'print warnings and errors only',
    commands: working,
  },
  {
    name: 'verbose',
    type: 'flag',
    summary: 'print every step and every cache look-up as well',
    commands: working,
  },
  {
    name: 'json',
    type: 'flag',
    summary: 'write JSON to stdout: results, or while building one event per line',
    commands: ['build', 'list', 'show', 'env', 'lock', 'update'],
  },
  { name: 'help', short: 'h', type: 'flag', summary: 'show the help page', commands: 'all' },
  { name: 'version', type: 'flag', summary: 'print the version of vbuild', commands: 'all' },
] as const satisfies readonly OptionRow[];

/** Pairs of options that contradict each other. */
export const conflicts: readonly (readonly [OptionName, OptionName])[] = [
  ['quiet', 'verbose'],
  ['offline', 'push'],
  ['no-cache', 'no-build'],
];

export type OptionName = (typeof optionTable)[number]['name'];
