/** The rows of the commands that deployments call; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const deployCommands = [
  {
    name: 'check',
    takes: 'targets',
    summary: 'say whether the prefix holds what is asked for, and what the caches have of the rest',
    description: [
      'Ends with status 0 when the prefix holds every TARGET (or the defaults of the Buildfile) as the Buildfile and the lock file have them now. Otherwise it prints, for each package of the closure, whether it is installed, available in a cache, unfit for this host, or missing. It ends with status 4 when nothing is missing but an artifact is unfit, and else with status 3.',
      'Nothing is written, compiled or pinned. Caches are asked only for what the prefix does not hold; with --offline only the disk is. With --no-install what the prefix holds counts for nothing: what a cache has is ready, if it fits the prefix that --prefix names. It goes by what was noted at the installation; whether files were changed by hand since, "vbuild verify" says.',
      'Without pins for this platform it ends with status 2: then nobody can tell what to ask for. "vbuild -q TARGET" is the same.',
      'With --release it asks for what a release says, without a Buildfile.',
    ],
    examples: [
      ['vbuild check pil --prefix /srv/shop/vendor', 'whether a site has its PIL'],
      [
        'vbuild check pil --no-install --prefix /srv/shop/vendor',
        'before a deployment: whether all of it could be installed',
      ],
      ['vbuild check --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'install',
    takes: 'targets',
    summary: 'install artifacts that are ready into the prefix; never compile',
    description: [
      'Takes every artifact that each TARGET (or the defaults of the Buildfile) needs to run from the caches, assembles a new generation aside, and switches the prefix to it with one rename. Nothing is compiled or pinned, and nothing is written into the project. What no cache has ends with status 3, what does not fit this host with status 4; in both cases nothing is downloaded, and the prefix stays as it was.',
      'A prefix that holds all of it is left alone. With --repair it gets a new generation from the artifacts all the same. A generation that somebody has changed by hand is never thrown away: it stays for "vbuild rollback --to".',
      'With --release the prefix gets exactly what a release says, without a Buildfile, sources or lock file: from the caches that the release names, or the one of --from. A signed release needs --trust, or the trust of a Buildfile.',
      'Older generations are removed, save the last few (see --keep-generations), those that were left within the last minute, and those that a running process uses.',
    ],
    examples: [
      ['vbuild install pil --prefix /srv/shop/vendor', 'what a deployment runs'],
      ['vbuild install --repair', 'undo what was changed by hand in vendor'],
      ['vbuild install --release shop-42.release.json --trust trust.json', 'on a server that has nothing else'],
    ],
  },
  {
    name: 'rollback',
    takes: 'nothing',
    summary: 'switch the prefix back to an earlier generation',
    description: [
      'Makes the generation current again that the current one replaced, or with --to any one that is still there, with one rename. Nothing is downloaded or removed. What somebody has changed by hand in the generation that is left is told, and that one stays. A second rollback goes one further back. It needs no Buildfile.',
    ],
    examples: [
      ['vbuild rollback --prefix /srv/shop/vendor', 'one back'],
      ['vbuild rollback --to 3', 'to generation 3 of vendor'],
    ],
  },
  {
    name: 'generations',
    takes: 'nothing',
    summary: 'list the generations of the prefix',
    description: [
      'Prints one line for each generation that is there, newest first: a star for the current one, its number, when it was installed, what it holds, and what of that is another one than in the generation before. It needs no Buildfile.',
    ],
    examples: [['vbuild generations --prefix /srv/shop/vendor', 'what a rollback could lead to']],
  },
  {
    name: 'verify',
    takes: 'targets',
    summary: 'say what was changed by hand in the prefix, or with --rebuild what comes out otherwise',
    description: [
      'Reads every file of the current generation and compares it with what was installed. It prints what was changed, added or removed, and of which package it is, and then ends with status 1. Nothing is changed; "vbuild install --repair" makes a new generation. Bytecode that Python has added does not count. It needs no Buildfile.',
      'With --rebuild it builds every TARGET (or all that the defaults of the Buildfile need, when none is given) two times from source: first as usual, then with another build path, host name, user, number of jobs and processors, umask, and locale and time zone of the caller, where the machine allows them to be changed, and at least two seconds later. It compares the two results file by file, with the prefix normalised, and then with what each cache has under the same key. What a TARGET needs comes from the caches, and is built first where none has it.',
      'For each file that differs it prints why, where that can be told, what stands there, and at which byte; then it ends with status 1. All of it happens aside: nothing is pinned, installed, pushed or put into a cache, and the folders go away, save with --keep the trees that differ. The clock is not changed: what differs by the day shows only against an older artifact.',
    ],
    examples: [
      ['vbuild verify --prefix /srv/shop/vendor', 'whether anybody edited a library there'],
      ['vbuild verify --rebuild zlib', 'whether zlib is reproducible'],
      ['vbuild verify --rebuild', 'whether all is that the defaults need'],
    ],
  },
  {
    name: 'release create',
    takes: 'name-and-targets',
    summary: 'write down which artifacts belong together, for servers to install by',
    description: [
      'Writes one document to NAME.release.json: for each package that every TARGET (or the defaults of the Buildfile) needs to run its content key, the digests of its tree and body, its pin and its patches, and for the whole the platform, the caches and the revision of the Buildfile. It is signed where there is a key, as artifacts are. With --push it is put into the caches of the Buildfile as well, under its name.',
      'Each artifact has to be in a cache of the Buildfile; what none has ends with status 3. A name is given once: what servers may have installed is never changed. The same command for the same content completes what an earlier one left: a cache that refused it, a file that was lost.',
    ],
    examples: [
      ['vbuild release create shop-42', 'write shop-42.release.json for the defaults'],
      ['vbuild release create shop-42 pil --push', 'for pil, and put it into the bucket'],
    ],
  },
  {
    name: 'release diff',
    takes: 'two-releases',
    summary: 'say as Markdown what differs between two releases',
    description: [
      'Prints for the ticket of a deployment which packages have another version, size or licence, which patches were added, dropped or changed, and why each artifact is another one. OLD and NEW are documents, or names in a cache.',
    ],
    examples: [['vbuild release diff shop-41.release.json shop-42.release.json', 'what shop-42 brings']],
  },
  {
    name: 'release drop',
    takes: 'one-release',
    summary: 'remove a release from the caches of the Buildfile',
    description: [
      'Removes the document NAME, so that "vbuild cache gc --tier" no longer keeps what it reaches. No artifact is removed, and no prefix that was installed by it changes.',
    ],
    examples: [['vbuild release drop shop-12', 'nobody goes back to that one']],
  },
] as const satisfies readonly CommandRow[];
