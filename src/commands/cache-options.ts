/** The options of the commands about caches alone; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const cacheOptions = [
  {
    name: 'repair',
    type: 'flag',
    summary: 'replace what is there and cannot be used',
    commands: ['cache push', 'install'],
  },
  {
    name: 'quota',
    type: 'text',
    value: 'SIZE',
    summary: 'how much the disk cache may hold, such as 500M (default: 20G)',
    commands: ['cache gc'],
  },
  {
    name: 'tier',
    type: 'text',
    value: 'CACHE',
    summary: 'the cache of the Buildfile to sweep, by its name, such as s3://bucket/prefix',
    commands: ['cache gc'],
  },
  {
    name: 'older-than',
    type: 'count',
    value: 'DAYS',
    summary: 'leave alone what is younger (default: 30, at least 2)',
    commands: ['cache gc'],
  },
  {
    name: 'delete',
    type: 'flag',
    summary: 'remove it, in place of only listing it',
    commands: ['cache gc'],
  },
] as const satisfies readonly OptionRow[];
