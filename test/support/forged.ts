/** Artifacts that claim another origin or other needs than they have, in a cache that nobody signs. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { serialiseManifest } from '../../src/artifact/manifest-text.ts';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { manifestObject } from '../../src/cache/layout.ts';
import { contentKey } from '../../src/key/fields.ts';
import { filesBelow } from '../cache/sample.ts';
import { writeTree } from './temp.ts';

/** The one manifest of a package below the top of a cache. */
export function manifestIn(top: string, name: string): { readonly file: string; readonly manifest: Manifest } {
  const [path, ...more] = filesBelow(top).filter((one) => one.startsWith(`v1/artifacts/${name}/`));
  if (path === undefined || more.length > 0) throw new Error(`${name} has ${more.length + 1} manifests`);
  const file = join(top, path);
  return { file, manifest: JSON.parse(readFileSync(file, 'utf8')) as Manifest };
}

/** Puts a changed manifest in place of the one of a package; another key text gives it another key. @param beside The one that is there stays as well. */
export function forge(
  top: string,
  name: string,
  change: (manifest: Manifest) => Partial<Manifest>,
  beside = false,
): Manifest {
  const { file, manifest } = manifestIn(top, name);
  const changed = { ...manifest, ...change(manifest) };
  const forged = { ...changed, key: contentKey(changed.keyText) };
  if (!beside) rmSync(file);
  writeTree(top, { [manifestObject(name, forged.key)]: serialiseManifest(forged) });
  return forged;
}
