/** The disk cache as one Buildfile sees it: with its policy about whose artifacts are acceptable. */
import type { Build } from '../buildfile/package.ts';
import { type DiskCache, diskCache } from '../cache/disk.ts';
import { type Trust, trustOf } from '../cache/trust.ts';
import type { Workspace } from './workspace.ts';

export const trustIn = ({ trust }: Build): Trust | undefined => trust && trustOf(trust);

export const diskOf = (build: Build, { cache }: Pick<Workspace, 'cache'>): DiskCache =>
  diskCache(cache, trustIn(build));
