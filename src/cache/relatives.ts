/** All artifacts of one package that lie on this machine's disk, whatever they were made from: what a miss can be compared with. */
import { join } from 'node:path';
import type { Manifest } from '../artifact/manifest.ts';
import { type ContentKey, isDigest } from '../model/digest.ts';
import { namesIn, readBytes } from '../system/files.ts';
import type { DiskCache } from './disk.ts';
import { equalNamed, equalsFolder, keyFolder, manifestNamed, manifestsFolder } from './layout.ts';

/** Manifests that are well-formed, newest build first; their bodies are not looked at. */
export async function relativesOf({ folder }: Pick<DiskCache, 'folder'>, name: string): Promise<Manifest[]> {
  const keys = namesIn(join(folder, manifestsFolder(name))).filter((key) => isDigest(key)) as string[] as ContentKey[];
  const found = await Promise.all(keys.map((key) => manifestOnDisk({ folder }, name, key)));
  return found
    .filter((manifest) => manifest !== undefined)
    .sort((a, b) => (a.build.startedAt < b.build.startedAt ? 1 : -1));
}

/** Manifests of a package by which an equal artifact may be found on the disk, well-formed; their bodies are not looked at. */
export async function equalsOnDisk({ folder }: Pick<DiskCache, 'folder'>, name: string): Promise<Manifest[]> {
  const { judgeManifest } = await import('./judge.ts');
  const top = equalsFolder(name);
  return namesIn(join(folder, top)).flatMap((key) =>
    namesIn(join(folder, top, key)).flatMap((file) => {
      const place = equalNamed(`${top}/${key}/${file}`);
      const bytes = place && bytesIfReadable(join(folder, top, key, file));
      const judged = place && bytes && judgeManifest(bytes, { ...place, own: true }, undefined);
      return judged?.outcome === 'hit' ? [judged.manifest] : [];
    }),
  );
}

/** The manifest of a key; undefined when there is none that can be read. Sets nothing aside, and asks for no policy: nothing is unpacked. */
export async function manifestOnDisk(
  { folder }: Pick<DiskCache, 'folder'>,
  name: string,
  key: ContentKey,
): Promise<Manifest | undefined> {
  const { judgeManifest } = await import('./judge.ts');
  const top = join(folder, keyFolder(name, key));
  for (const file of namesIn(top)) {
    const signer = manifestNamed(`${keyFolder(name, key)}/${file}`)?.signer;
    const bytes = signer === undefined ? undefined : bytesIfReadable(join(top, file));
    if (signer === undefined || bytes === undefined) continue;
    const judged = judgeManifest(bytes, { name, key, signer, own: true }, undefined);
    if (judged.outcome === 'hit') return judged.manifest;
  }
  return undefined;
}

function bytesIfReadable(path: string): Uint8Array | undefined {
  try {
    return readBytes(path);
  } catch {
    return undefined;
  }
}
