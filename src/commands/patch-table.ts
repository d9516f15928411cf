/** The rows of the commands about patches; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const patchCommands = [
  {
    name: 'patch apply',
    takes: 'patches',
    summary: 'apply patches to a tree, all of them or none; needs no Buildfile',
    description: [
      'Applies each PATCH in the order given, by the rules that a build follows, and prints what it changed. When one does not apply, the tree stays as it was, and the report says which hunks fail, on which lines, and what likely happened.',
      'The dialect "strict" is GNU patch without fuzz: offsets are allowed and reported, empty files are kept, and a patch that changes nothing is refused. The dialect "dpkg" does exactly what dpkg-source makes of a Debian series.',
      'Nothing outside the tree is ever written, whatever names a patch holds, and no .orig or .rej file is left. What a killed run had done is taken back by the next one for the same tree.',
    ],
    examples: [
      ['vbuild patch apply fix.patch', 'apply a patch to the current folder'],
      [
        'vbuild patch apply -d zlib-1.3.1 -p0 one.patch two.patch',
        'two patches without leading parts, to another tree',
      ],
    ],
  },
  {
    name: 'patch check',
    takes: 'targets',
    summary: 'say whether patches apply to the pinned sources',
    description: [
      'Fetches the source of every TARGET (of all packages that have patches when none is given) and applies its patches to a copy, as a build would. Nothing is compiled, and nothing of what is built changes. Ends with status 1 when a patch does not apply.',
    ],
    examples: [['vbuild patch check pil', 'whether the patches of pil fit what is pinned']],
  },
  {
    name: 'patch edit',
    takes: 'one-target',
    summary: 'open a patched tree as a git repository with one commit per patch',
    description: [
      'Makes a private git repository in the work folder, with the pristine tree (and the patches that upstream itself ships) as its first commit and one commit for each patch of the package, and prints where it is. Change, add, drop, split and reorder commits there with git as usual; then "vbuild patch save" writes them back.',
      'A repository that is open already stays as it is and is named again. One that holds work which was not saved is never overwritten.',
    ],
    examples: [
      ['vbuild patch edit pil', 'open the patches of pil, and print the folder'],
      ['cd "$(vbuild patch edit pil)"', 'the same, and go there'],
    ],
  },
  {
    name: 'patch save',
    takes: 'one-target',
    summary: 'write the commits of an edited tree back as patches',
    description: [
      'Writes the commits that "vbuild patch edit" opened back to the patch folder of the package. A patch whose commit changes the same as before keeps its bytes; a changed one keeps its header; a new commit becomes a new patch; the order of the commits is that of the series. The file of a dropped commit stays in the folder, outside of the series.',
      'Before anything is written, the patches are applied once more, and must give exactly the trees of the commits.',
    ],
    examples: [['vbuild patch save pil', 'write the patches of pil']],
  },
  {
    name: 'patch rebase',
    takes: 'one-target',
    summary: 'carry patches over to a newly pinned version',
    description: [
      'Applies each patch to the source that is pinned now by a three-way merge, with the source that the patches were last applied to as the common base, and saves the result. A patch that still applies as it is keeps its bytes; one whose change upstream has taken is dropped.',
      'At a conflict it stops and says what to do. The patches on disk are written only when all have been carried over.',
    ],
    examples: [
      ['vbuild patch rebase pil', 'after "vbuild update pil" has moved the pin'],
      ['vbuild patch rebase pil --continue', 'go on when a conflict is resolved'],
      ['vbuild patch rebase pil --abort', 'give it up; the patches are as they were'],
    ],
  },
] as const satisfies readonly CommandRow[];
