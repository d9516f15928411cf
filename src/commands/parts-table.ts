/** The rows of the commands about what software is made of; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const partsCommands = [
  {
    name: 'sbom',
    takes: 'targets',
    summary: 'print a bill of materials: sources, pins, patches, licences (CycloneDX)',
    description: [
      'Prints a CycloneDX 1.6 document in JSON: for each package of the closure of every TARGET (of the defaults of the Buildfile when none is given) its version, package URL, archives with their digests or repository with its commit, every patch with its text, the licences found in its source tree, its content key, and what it depends on. Packages that are needed for building only have the scope "excluded".',
      'Licences are recognised by their texts. "licenses" holds those of the files where a package keeps its own licence, "evidence" all that are in its tree; which of them applies to what is for a person to say.',
      'Sources that are not on this machine are fetched; nothing is compiled. SOURCE_DATE_EPOCH sets the time in the document, so that equal projects give equal bytes.',
    ],
    examples: [
      ['vbuild sbom >sbom.json', 'all that the defaults of ./Buildfile.ts install'],
      ['vbuild sbom pil --offline', 'pil and what it needs, from what is on this machine'],
    ],
  },
  {
    name: 'legal',
    takes: 'folder-targets',
    summary: 'write sources, patches and licence texts into a folder, to hand on',
    description: [
      'Writes into DIR for each package of the closure of every TARGET: the source as upstream published it, the patches with a series file, and the licence texts with the paths that they have in the source; and then the Buildfile with its lock file, a README, and legal.json, which says the same for a program.',
      'A DIR that an earlier run wrote is replaced whole; any other one must be empty. A package in whose source no licence is recognised is named in a warning.',
    ],
    examples: [
      ['vbuild legal legal', 'for all that the defaults of ./Buildfile.ts install'],
      ['vbuild legal /tmp/legal pil', 'for pil and what it needs'],
    ],
  },
] as const satisfies readonly CommandRow[];
