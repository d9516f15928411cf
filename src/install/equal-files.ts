/** Finds files with given bytes in the generations that are there already, so that several prefixes share them. */
import { join } from 'node:path';
import type { EqualFile } from '../prefix/assemble.ts';
import { digestFileSync } from '../system/files.ts';
import { deviceOf, ownFile } from '../system/tree-edit.ts';
import { generationsOf, unlessShut } from './generations.ts';
import { listOf } from './installed-files.ts';

/** Of several files with the same bytes, how many are looked at before a new one is made. */
const most = 3;

/**
 * The lists are read when the first file is asked for. A file is offered only while it really holds these bytes, is this user's, and
 * lies on the same file system: what somebody changed by hand is never spread.
 *
 * @param prefixes Absolute paths; those that come first are preferred.
 * @param beside   Absolute path of the folder in which the new tree is made.
 */
export function equalFiles(prefixes: readonly string[], beside: string): EqualFile {
  let known: ReadonlyMap<string, readonly string[]> | undefined;
  const device = deviceOf(beside);
  return (digest, mode) => {
    known ??= index(prefixes);
    return known.get(`${digest} ${mode}`)?.find((path) =>
      unlessShut(false, () => {
        const found = ownFile(path);
        return found?.device === device && found.mode === mode && digestFileSync(path) === digest;
      }),
    );
  };
}

function index(prefixes: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const prefix of new Set(prefixes)) {
    for (const generation of unlessShut([], () => generationsOf(prefix).reverse())) {
      for (const { path, digest, mode } of unlessShut([], () => listOf(generation) ?? [])) {
        if (digest === undefined || mode === undefined) continue;
        const id = `${digest} ${mode}`;
        const places = found.get(id) ?? [];
        if (places.length < most) places.push(join(generation.path, path));
        found.set(id, places);
      }
    }
  }
  return found;
}
