/** The rows of the commands to work by hand; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const handCommands = [
  {
    name: 'shell',
    takes: 'package-stage',
    summary: 'open a shell in the tree and the environment of a stage, also of a failed one',
    description: [
      'Opens a shell where the steps of PACKAGE run: in its tree, with exactly their environment and nothing of yours, and in the same mount namespace. The tree is the one that a failed compilation left, or one that was kept with --keep; without any, a fresh one is made, and for "configure" and the like the steps before it are run first. In the shell "step" lists the steps of the recipe, and "step 2" runs the second one. Only TERM is yours.',
      'STAGE is one group of steps (prepare, configure, build, check or install), "compile" for where the last compilation ended, or "fetch" and "patch" for the trees that vbuild makes itself, in your own environment.',
      'What follows "--" is a command to run in place of a shell; vbuild ends with its exit status. Other runs in this work folder wait until the shell has ended.',
      'Nothing that is done there becomes an artifact: the next run of vbuild compiles in a tree of its own. What you want to keep belongs into a patch ("vbuild patch edit PACKAGE") or into the recipe.',
    ],
    examples: [
      ['vbuild shell pil', 'look around where compiling pil failed'],
      ['vbuild shell zlib configure', 'the tree of zlib just before it is configured'],
      ['vbuild shell pil -- make -j1 V=1', 'run one command there'],
    ],
  },
  {
    name: 'clean',
    takes: 'targets',
    summary: 'remove trees from the work folder, and say what that frees',
    description: [
      'Removes the trees that packages were compiled in, the fetched and patched ones, and those that "vbuild verify --rebuild --keep" left; with --all also stamps, logs, what fetching keeps and all that tells of earlier runs. Without a TARGET it does so for every package, also for those that the Buildfile no longer has.',
      'Prefixes, the cache and the lock file are left alone, so that nothing has to be compiled again, and so are patches that are opened for editing.',
    ],
    examples: [
      ['vbuild clean', 'free what the trees of all packages take'],
      ['vbuild clean -n --all', 'only say what could be freed'],
      ['vbuild clean pil', 'the trees of pil alone'],
    ],
  },
  {
    name: 'eject',
    takes: 'targets',
    summary: 'print a shell program that does the same without vbuild',
    description: [
      'Prints a readable POSIX shell program that fetches, verifies, patches (with GNU patch), compiles and installs every TARGET and what it needs, as it is pinned now. It needs nothing of vbuild but the patches beside the Buildfile.',
      'It has no cache, no isolation and no relocation: every package goes straight into the one prefix that it was compiled for, where it sees all that was installed before it. Sources from debian(), tarball(), git() and directory() can be ejected.',
    ],
    examples: [
      ['vbuild eject pil >build.sh && sh build.sh vendor', 'build pil without vbuild'],
      ['vbuild eject --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'doctor',
    takes: 'nothing',
    summary: 'look at the machine as a run would need it, and say what to mend',
    description: [
      'Looks at the Node and the programs that vbuild runs on, the state of apt, room on the disks, locks and namespaces; where there is a Buildfile, also at the tools that its packages need, with their pins, and at its caches: whether they answer, what the credentials may do there, and whether the clocks agree. Whether one may write to a bucket is asked with a request that no server carries out, so that nothing is left behind.',
      'Every finding is good, a note (vbuild works, but not as well as it could) or bad, and then it says what to do. Ends with status 1 when there is something bad. With --push the right to fill the caches is insisted on as well, and the key to sign with is tried.',
    ],
    examples: [
      ['vbuild doctor', 'is this machine fit?'],
      ['vbuild doctor --push', 'what CI should ask before it builds'],
      ['vbuild doctor --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'completion',
    takes: 'shell',
    summary: 'print a program that completes command lines of vbuild in bash, zsh or fish',
    description: [
      'Prints the completion for a shell: commands, options with their values, and the packages of the Buildfile that the command line is about. Tab never starts vbuild: packages are read where the last run wrote them down, or in the lock file.',
    ],
    examples: [
      ['eval "$(vbuild completion bash)"', 'in ~/.bashrc'],
      ['eval "$(vbuild completion zsh)"', 'in ~/.zshrc, after compinit'],
      ['vbuild completion fish', 'to be kept as ~/.config/fish/completions/vbuild.fish'],
    ],
  },
] as const satisfies readonly CommandRow[];
