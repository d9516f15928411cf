/** The rows of the commands that explain; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const explainCommands = [
  {
    name: 'plan',
    takes: 'targets',
    summary: 'say what a run would do, and why, without doing any of it',
    description: [
      'Prints for each package of the closure of every TARGET whether it is fresh, would be restored (and from which tier), or built, and then which stages would run, each with its reasons. It decides by the same code as a run, so that a run right after it does the same, unless an artifact turns out to be damaged on its way here.',
      'Nothing is written. Tools are asked for their versions, and buckets for artifacts, where a run would ask them. What stops a run before its first package, such as a missing tool, stops the plan with the same error.',
      'Times come from earlier runs in this project, or from artifacts on the disk. "vbuild -n TARGET" is the same.',
      'With --touch and --set it plans what is not so yet: what would happen if a source, a file, a version, a variable or a tool were another one. What such a change makes new is asked of the caches too, where its key is known beforehand: a variable or a tool tells it, another version or content does not. All that is given is taken to be so at once.',
    ],
    examples: [
      ['vbuild plan', 'what vbuild would do now'],
      ['vbuild plan pil --no-cache', 'what would be built if no cache were asked'],
      ['vbuild plan --set zlib.version=1.3.2', 'what it would take to move to another zlib'],
      ['vbuild plan --touch patches/pil/series', 'what would be built if this file changed'],
      ['vbuild plan --json', 'the same for a program to read'],
    ],
  },
  {
    name: 'why',
    takes: 'subject',
    summary: 'say why a package is stale, fresh, or was built, down to the byte',
    description: [
      'Compares a PACKAGE as it is now with what it was last made ready from here, and prints what differs and in which package that began: packages that only follow are not listed. Patches are shown with the lines that differ, variables and steps with the words that do. Then it says why the package was built the last time, and what the caches answered then. If the prefix would get a new generation although the package is ready, it says why: what the prefix holds differs, it was moved, or the Buildfile trusts others.',
      'With --cache it asks every cache for the key of the package. If none has it, the package is compared with the artifact that is nearest to it, of all on the disk and the newest 20 in each cache that can be listed: what is printed would have to be equal for a hit.',
      'For a FILE of the project it says which packages the file decides, and of one that is not there which it would. Files that the Buildfile itself reads while it is loaded, such as with readFileSync, are not seen: what they decide shows as a change of whatever was made of them.',
    ],
    examples: [
      ['vbuild why pil', 'why pil is stale or fresh, and why it was built the last time'],
      ['vbuild why pil --cache', 'why no cache has it: what CI pushed differs in this'],
      ['vbuild why patches/pil/series', 'which packages this file decides'],
    ],
  },
  {
    name: 'status',
    takes: 'targets',
    summary: 'show where each package stands: pin, patches, key, disk, prefix',
    description: [
      'Prints one line for each package, or for each one of the closure of every TARGET: its pin, how many patches it has, its content key, whether its artifact is on the disk, whether the prefix has it, and how long compiling it took the last time. A last line says why the prefix would get a new generation, if it would. Opens no network connection, save with --cache: then every cache of the Buildfile is asked, and those that have the artifact are named.',
    ],
    examples: [
      ['vbuild status', 'all packages of ./Buildfile.ts'],
      ['vbuild status --cache', 'also which caches have what'],
      ['vbuild status pil', 'pil and what it takes to build it'],
    ],
  },
  {
    name: 'graph',
    takes: 'targets',
    summary: 'show which package needs which, and where each one stands, as a tree or a picture',
    description: [
      'Prints a tree from every TARGET (from every package that no other one needs when none is given) down to what needs nothing more. Beside each package stands whether it is fresh, cached (its artifact is on the disk), stale, failed, or still without a pin, and of a stale one whether it changed itself or only follows another one.',
      'The same as a picture: --svg writes one that browsers and wikis show as it is, --dot the language of Graphviz, --mermaid what GitHub and GitLab draw inside of Markdown. An arrow leads from a package to what it needs, a dashed one to what only its build needs. Every standing has its own outline and sign, so that colours are not needed to tell them apart.',
      'Reads this machine only, and changes nothing.',
    ],
    examples: [
      ['vbuild graph', 'the tree of all packages of ./Buildfile.ts'],
      ['vbuild graph pil --svg > pil.svg', 'a picture of pil and of all that it needs'],
      ['vbuild graph --dot > graph.dot', 'for Graphviz to draw: dot -Tpdf graph.dot > graph.pdf'],
    ],
  },
  {
    name: 'report',
    takes: 'nothing',
    summary: 'write a page about the last run: timeline, critical path, caches, durations',
    description: [
      'Writes one HTML page about the last run that had something to do, and prints where it is: who worked on what and when, the chain of work that decided how long it took, why each package was built and what the caches said, sizes, and durations against the time before. The page is a single file that loads nothing, so it can be mailed, or kept by a CI server.',
      'It is made from the trace of the run. The last five traces lie in the work folder, under traces; with --trace another one is reported. A trace is in the format of Chrome, so Perfetto and other viewers show it as well.',
    ],
    examples: [
      ['vbuild report', 'a page about the last run, in the work folder'],
      ['vbuild report -o run.html', 'the same, as run.html'],
      ['vbuild report --trace ci.json -o ci.html', 'about a run elsewhere, of "vbuild pil --trace ci.json"'],
    ],
  },
  {
    name: 'log',
    takes: 'package-part',
    summary: 'print the log of the last compilation of a package, or what another of its stages did',
    description: [
      'Prints what the steps of the last compilation of PACKAGE printed, with a head that says how to repeat each one by hand. PART is "compile" for all of it, or one group of steps: prepare, configure, build, check or install. On stderr it says when that was and whether it failed. The last five logs of each package are kept in the work folder.',
      'The other stages run no steps. For PART "fetch", "patch" or "pack" it prints what that stage did when it last ran here: the archives with their digests and where they come from; each patch with the files that it changed, and where hunks landed away from their stated lines; how much was packed, and what was left out.',
      'With --follow it goes on as the log grows, until the compilation has ended. While a run has not begun to compile PACKAGE yet it waits for that, at most until the run ends. It prints no JSON.',
    ],
    examples: [
      ['vbuild log pil', 'the last log of pil'],
      ['vbuild log pil configure', 'what its configure step printed'],
      ['vbuild log pil patch', 'which patches were applied, and where they landed'],
      ['vbuild log pil --follow', 'watch it while it is compiled'],
    ],
  },
] as const satisfies readonly CommandRow[];
