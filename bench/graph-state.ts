/** Makes a synthetic project one whose packages were all built before: a lock file, and an artifact of one small file for each package. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../src/artifact/manifest.ts';
import { unsigned } from '../src/artifact/sealed.ts';
import { LOCAL } from '../src/artifact/signer.ts';
import { keyedFacts } from '../src/build/keyed.ts';
import { workspaceOf } from '../src/build/workspace.ts';
import { loadBuildfile } from '../src/buildfile/load.ts';
import { packageId } from '../src/buildfile/package.ts';
import { type LockedSource, writeLock } from '../src/buildfile/pins.ts';
import { validate } from '../src/buildfile/validate.ts';
import { diskCache } from '../src/cache/disk.ts';
import { push } from '../src/cache/push.ts';
import { digestOf } from '../src/model/digest.ts';
import { packTarZst } from '../src/system/archive.ts';
import { digestFile } from '../src/system/files.ts';
import { hostPlatform } from '../src/system/platform.ts';
import { treeDigest } from '../src/system/tree-digest.ts';

/** @param cache Absolute; the folder that VBUILD_CACHE is to name. */
export async function fillState(top: string, cache: string): Promise<void> {
  const path = join(top, 'Buildfile.ts');
  const { packages } = validate((await loadBuildfile(path)).definition);
  const workspace = workspaceOf(path, undefined, cache);
  const sources = packages.map((one): [string, LockedSource] => {
    const tree = digestOf(one.name);
    const files = [{ name: `${one.name}.tar.gz`, digest: tree, sizeBytes: 0 }];
    return [packageId(one), { spec: one.source, pin: { kind: 'tarball', files }, tree }];
  });
  writeLock(workspace.lockFile, { sources: Object.fromEntries(sources), tools: {} });
  const facts = keyedFacts(packages, { workspace, platform: hostPlatform() });
  const disk = diskCache(cache);
  const [tree, body] = [join(cache, 'tree'), join(cache, 'body')];
  const manifests = new Map<string, Manifest>();
  for (const one of packages) {
    const { key, keyText } = facts.of(one);
    const file = `share/${one.name}`;
    mkdirSync(join(tree, 'share'), { recursive: true });
    writeFileSync(join(tree, file), `${one.name}\n`);
    const { sizeBytes, unpackedBytes } = await packTarZst({ top: tree, paths: [file], into: body });
    const manifest: Manifest = {
      format: 1,
      package: { name: one.name, version: one.version },
      key,
      keyText,
      body: { digest: await digestFile(body), sizeBytes, unpackedBytes },
      tree: treeDigest(tree),
      files: [
        { path: file, type: 'file', mode: 0o644, sizeBytes: one.name.length + 1, digest: digestOf(`${one.name}\n`) },
      ],
      dependencies: (one.deps ?? []).flatMap(({ name }) => {
        const other = manifests.get(name);
        return other === undefined ? [] : [{ ...other.package, key: other.key, tree: other.tree }];
      }),
      needs: { symbolVersions: {}, libraries: [] },
      provides: {},
      build: { startedAt: new Date().toISOString(), durationMs: 1, tools: {}, vbuild: '0.1.0' },
    };
    await push({ sealed: unsigned(manifest, LOCAL), bodyFile: body }, disk, new AbortController().signal);
    manifests.set(one.name, manifest);
    for (const made of [tree, body]) rmSync(made, { recursive: true });
  }
}
