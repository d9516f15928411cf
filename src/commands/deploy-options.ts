/** The rows of the options that are about deployments alone; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const deployOptions = [
  {
    name: 'platform',
    type: 'text',
    value: 'PLATFORM',
    summary: 'pin the tools of PLATFORM, as artifacts for it tell (default: this host, as it has them)',
    commands: ['lock'],
  },
  {
    name: 'to',
    type: 'count',
    value: 'N',
    summary: 'switch to generation N (default: the one that the current one replaced)',
    commands: ['rollback'],
  },
  {
    name: 'keep-generations',
    type: 'count',
    value: 'N',
    summary: 'keep the last N generations of the prefix (default: 4)',
    commands: ['build', 'install'],
  },
  {
    name: 'rebuild',
    type: 'flag',
    summary: 'build packages twice, under different circumstances, and compare',
    commands: ['verify'],
  },
  {
    name: 'pth',
    type: 'flag',
    summary: 'print a line for a .pth file that binds a Python virtualenv to the prefix',
    commands: ['env'],
  },
  {
    name: 'release',
    type: 'text',
    value: 'FILE|NAME',
    summary: 'go by this release, in place of a Buildfile: a document, or a name in a cache',
    commands: ['check', 'install'],
  },
  {
    name: 'from',
    type: 'text',
    value: 'PLACE',
    summary:
      'where releases and their artifacts lie: s3://BUCKET/PREFIX, a URL or a folder; for build: the group of steps to begin with over what a failed compilation left, which makes no artifact',
    commands: ['build', 'check', 'install', 'release diff'],
  },
  {
    name: 'trust',
    type: 'text',
    value: 'FILE',
    summary: 'accept what the keys in FILE have signed (JSON, as the option trust of a Buildfile)',
    commands: ['check', 'install', 'release diff'],
  },
  {
    name: 'question',
    short: 'q',
    type: 'flag',
    summary: 'only say whether all is there, as "vbuild check" does',
    commands: ['build'],
  },
] as const satisfies readonly OptionRow[];
