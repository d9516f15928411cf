/** The rows of the commands about caches and keys; a part of the table of commands. */
import type { CommandRow } from './command-table.ts';

export const cacheCommands = [
  {
    name: 'cache push',
    takes: 'targets',
    summary: 'upload what the caches of the Buildfile lack of a closure, without building',
    description: [
      'Looks at every artifact that each TARGET (or the defaults of the Buildfile) needs, and uploads those that lie on this machine or in one cache and are missing in another, with the archives of their sources. Nothing is compiled: what no cache has ends with status 3.',
      'An artifact that rests on modified or untracked files (the Buildfile, what it imports, patches, a directory() source) is uploaded only when its package is named as a TARGET itself; what the lock file pins counts as pinned. That holds for "vbuild --push" as well.',
      'Objects are never overwritten. One that is there and cannot be used ends with status 5; --repair replaces it.',
    ],
    examples: [
      ['vbuild cache push', 'complete the closure of the defaults'],
      ['vbuild cache push pil --repair', 'the same for pil, replacing what cannot be used'],
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
