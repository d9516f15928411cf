/** The artifacts of one package that caches hold, whatever they were made from: what a miss can be compared with. */
import { join } from 'node:path';
import type { Manifest } from '../artifact/manifest.ts';
import { type ContentKey, isDigest } from '../model/digest.ts';
import { namesIn } from '../system/files.ts';
import type { CacheTier } from './cache.ts';
import type { DiskCache } from './disk.ts';
import { equalNamed, equalsFolder, keyFolder, manifestNamed, manifestsFolder, signerIn } from './layout.ts';

/** How many artifacts of one package are looked at in a tier. */
const most = 20;

/** The keys of those that a tier has, the ones that came last first; undefined where it cannot be listed. @throws {VbuildError} `cache-trouble` */
export async function newestKeys(
  { objects }: CacheTier,
  name: string,
  signal: AbortSignal,
): Promise<ContentKey[] | undefined> {
  const listed = await objects?.all(`${manifestsFolder(name)}/`, signal);
  const newest = listed && [...listed].sort((a, b) => b.modifiedMs - a.modifiedMs);
  return newest && [...new Set(newest.flatMap((object) => manifestNamed(object.name)?.key ?? []))].slice(0, most);
}

/** All on this machine's disk: manifests that are well-formed, newest build first; their bodies are not looked at. */
export async function relativesOf({ folder }: Pick<DiskCache, 'folder'>, name: string): Promise<Manifest[]> {
  const keys = namesIn(join(folder, manifestsFolder(name))).filter((key) => isDigest(key)) as string[] as ContentKey[];
  const found = await Promise.all(keys.map((key) => manifestOnDisk({ folder }, name, key)));
  return found
    .filter((manifest) => manifest !== undefined)
    .sort((a, b) => (a.build.startedAt < b.build.startedAt ? 1 : -1));
}

/** Manifests of a package by which an equal artifact may be found on the disk, well-formed; their bodies are not looked at. */
export async function equalsOnDisk({ folder }: Pick<DiskCache, 'folder'>, name: string): Promise<Manifest[]> {
  const { readHeld } = await import('./held.ts');
  const top = equalsFolder(name);
  return namesIn(join(folder, top)).flatMap((key) =>
    namesIn(join(folder, top, key)).flatMap((file) => {
      const place = equalNamed(`${top}/${key}/${file}`);
      return (place && readHeld(join(folder, top, key, file), place)) ?? [];
    }),
  );
}

/** The manifest of a key, of the first signer whose one can be read; undefined when there is none. See `readHeld`. */
export async function manifestOnDisk(
  { folder }: Pick<DiskCache, 'folder'>,
  name: string,
  key: ContentKey,
): Promise<Manifest | undefined> {
  const { readHeld } = await import('./held.ts');
  const top = join(folder, keyFolder(name, key));
  for (const file of namesIn(top)) {
    const signer = signerIn(file);
    const manifest = signer && readHeld(join(top, file), { name, key, signer });
    if (manifest) return manifest;
  }
  return undefined;
}
