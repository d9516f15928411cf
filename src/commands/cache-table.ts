/** The rows of the commands about caches and keys; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const cacheCommands = [
  {
    name: 'cache push',
    takes: 'targets',
    summary: 'upload what the caches of the Buildfile lack of a closure, without building',
    description: [
      'Looks at every artifact that each TARGET (or the defaults of the Buildfile) needs, and uploads those that lie on this machine or in one cache and are missing in another, with their sources as far as they are here. Nothing is compiled: what no cache has ends with status 3.',
      'An artifact that rests on modified or untracked files (the Buildfile, what it imports, patches, a directory() source) is uploaded only when its package is named as a TARGET itself; what the lock file pins counts as pinned. That holds for "vbuild --push" as well.',
      'Objects are never overwritten. One that is there and cannot be used ends with status 5; --repair replaces it.',
    ],
    examples: [
      ['vbuild cache push', 'complete the closure of the defaults'],
      ['vbuild cache push pil --repair', 'the same for pil, replacing what cannot be used'],
    ],
  },
  {
    name: 'cache ls',
    takes: 'targets',
    summary: 'list the artifacts in the disk cache and in the caches of the Buildfile',
    description: [
      'Prints one line for each artifact of every TARGET (of all when none is given): where it is, package, content key, whether the Buildfile asks for this key now, who signed it, and when it was put there (on the disk: last used).',
    ],
    examples: [
      ['vbuild cache ls', 'all there is'],
      ['vbuild cache ls pil --json', 'what there is of pil, for a program to read'],
    ],
  },
  {
    name: 'cache prove',
    takes: 'targets',
    summary: 'prove that a machine without compilers would find everything in the caches',
    description: [
      'Looks for every artifact that each TARGET (or the defaults of the Buildfile) needs to run in the caches of the Buildfile, reads it whole, and checks its digest and the policy. What lies on the disk of this machine counts for nothing, and nothing is kept. Ends with status 3, and the list of what is lacking and why, unless all of it can be restored.',
    ],
    examples: [['vbuild cache prove pil', 'what CI runs last, and a deployment first']],
  },
  {
    name: 'cache gc',
    takes: 'lock-files',
    summary: 'remove what is not used: from the disk cache, or with --tier from a bucket',
    description: [
      'Without --tier: removes artifacts and sources from the disk cache of this user until it is within the quota, those that were not used for longest first. What a prefix uses (any of its generations) and what was used within the last hour stays.',
      'With --tier: lists what no given LOCKFILE reaches (default: that of the Buildfile) and removes it when --delete is given as well. A lock file counts for the Buildfile beside it, so that checkouts of all versions that are in use can be named. What the releases in the bucket reach stays as well, until they are dropped. What is younger than --older-than, with all that it needs, stays in any case, so that it may run while others push.',
    ],
    examples: [
      ['vbuild cache gc --quota 5G', 'keep 5 GB on this disk'],
      ['vbuild cache gc --tier s3://vendor', 'what of the bucket could go'],
      ['vbuild cache gc --tier s3://vendor --delete *.lock', 'remove it'],
    ],
  },
  {
    name: 'key new',
    takes: 'one-file',
    summary: 'make a pair of keys to sign artifacts with',
    description: [
      'Writes a new secret key to FILE, which only you may read, and its public key to FILE.pub, and prints the public key as a line for "trust.keys" of the Buildfile. A file that is there already is never overwritten. The keys are those of minisign: its program can sign and verify with them as well.',
      'A push signs with the secret key in the file that VBUILD_SIGNING_KEY_FILE names, or with VBUILD_SIGNING_KEY itself.',
    ],
    examples: [['vbuild key new ci.key', 'write ci.key and ci.key.pub']],
  },
] as const satisfies readonly CommandRow[];
