/** THE TABLE of commands: every one of them once; the parser, the help pages and completions read it, and that of options beside it. */
import { explainCommands } from './explain-table.ts';
import { cacheCommands } from './cache-table.ts';
import { deployCommands } from './deploy-table.ts';
import { partsCommands } from './parts-table.ts';
import { handCommands } from './hand-table.ts';
import { patchCommands } from './patch-table.ts';

export { applies, conflicts, type OptionName, type OptionRow, optionTable } from './option-table.ts';

export interface CommandRow {
  /** One word, or two where several commands share the first one, such as `patch apply`. */
  readonly name: string;
  /**
   * What may follow the name: nothing, any number of packages, at least one, exactly one, one package or file, one package and perhaps a
   * part of its log, one package with perhaps a stage and after `--` a command, at least one patch file, exactly one file, any number of
   * lock files, a folder and then any number of packages, a name and then any number of packages, exactly one release, exactly two, the
   * name of a shell, a command's name, or a foreign command after `--`.
   */
  readonly takes:
    | 'nothing'
    | 'targets'
    | 'some-targets'
    | 'one-target'
    | 'subject'
    | 'package-part'
    | 'package-stage'
    | 'shell'
    | 'patches'
    | 'one-file'
    | 'lock-files'
    | 'folder-targets'
    | 'name-and-targets'
    | 'one-release'
    | 'two-releases'
    | 'command'
    | 'command-line';
  readonly summary: string;
  /** Paragraphs for the help page; each is filled to the width of the page. */
  readonly description: readonly string[];
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
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
      'Prints everything that decides the build of each TARGET: source and pin, patches in their order, dependencies, tools, the steps with the exact environment that they see, and what is said about packing. A place that differs from build to build is shown as a symbol, such as @prefix@. Nothing is fetched or compiled.',
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
    description: [
      'Prints what "vbuild exec" sets, as export lines for a POSIX shell.',
      'With --pth it prints one line of Python instead. In a file whose name ends in .pth, in the site-packages of a virtualenv, it lets every Python of that virtualenv find the packages of the prefix. The link of the prefix is followed when a Python starts: it stays in one generation.',
    ],
    examples: [
      ['eval "$(vbuild env)"', 'use the prefix in the running shell'],
      ['vbuild env --pth', 'what goes into site-packages/vendor.pth of a virtualenv'],
      ['vbuild env --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'lock',
    takes: 'targets',
    summary: 'pin sources and tools in the lock file, build nothing',
    description: [
      'Resolves the sources of every TARGET (all packages when none is given) that have no pin yet, and writes the pins to the lock file beside the Buildfile. Pins of sources that are there are never moved. Tools are pinned as this machine has them.',
      'With --platform the tools of another platform are pinned, so that keys for it can be computed: as the newest artifacts have them that the caches hold for that platform. Where none tells, run it on such a machine.',
    ],
    examples: [
      ['vbuild lock', 'pin all packages of ./Buildfile.ts'],
      ['vbuild lock pil', 'pin pil and what it needs'],
      ['vbuild lock --platform "linux-arm64-glibc debian-12"', 'pin the tools of that platform as well'],
    ],
  },
  {
    name: 'update',
    takes: 'targets',
    summary: 'pin sources anew, and print what moved',
    description: [
      'Resolves the source of every TARGET (of all packages when none is given) as if it had no pin, writes what it stands for now to the lock file, and prints what was pinned before and after. Pins of other sources stay as they are; what has none yet in the closure is pinned as well, and tools are pinned as this machine has them, as by "vbuild lock". Nothing is built.',
    ],
    examples: [
      ['vbuild update pil', 'move to what the source of pil stands for today'],
      ['vbuild update', 'the same for all packages of ./Buildfile.ts'],
    ],
  },
  ...deployCommands,
  ...explainCommands,
  ...handCommands,
  ...patchCommands,
  ...cacheCommands,
  ...partsCommands,
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
    examples: [['vbuild version --json', 'the same for a program to read']],
  },
] as const satisfies readonly CommandRow[];

/** First words that several commands share, with what these are about. */
export const commandGroups: Readonly<Record<string, string>> = {
  cache: 'fill caches, look into them, and prove that they are complete',
  key: 'make keys to sign artifacts with',
  release: 'say which artifacts belong together, and what differs between two such sayings',
  patch: 'apply patches, and keep those of a package up to date',
};
