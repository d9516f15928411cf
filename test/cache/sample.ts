/** Small artifacts for the tests of caches: well-formed manifests with bodies of any bytes. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { unsigned } from '../../src/artifact/sealed.ts';
import type { Answer, CacheTier } from '../../src/cache/cache.ts';
import { push as pushSealed } from '../../src/cache/push.ts';
import { contentKey, keyText } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';

export interface Sample {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
  /** Absolute path of the body. */
  readonly file: string;
}

/** An artifact of package `name` whose key follows from `seed` and whose body lies in `folder`; bodies differ from call to call. */
export function sample(folder: string, seed: string, { name = 'zlib', sizeBytes = 3000 } = {}): Sample {
  const bytes = randomBytes(sizeBytes);
  const digest = digestOf(bytes);
  const file = join(folder, `body-${digest}`);
  writeFileSync(file, bytes);
  const text = keyText([
    ['name', name],
    ['seed', seed],
  ]);
  const manifest: Manifest = {
    format: 1,
    package: { name, version: '1.3.1' },
    key: contentKey(text),
    keyText: text,
    body: { digest, sizeBytes, unpackedBytes: 10 * sizeBytes },
    tree: digestOf('tree'),
    files: [{ path: 'lib/libz.so.1', type: 'file', mode: 0o644, sizeBytes: 12, digest: digestOf('libz') }],
    dependencies: [],
    needs: { symbolVersions: { GLIBC: '2.34' }, libraries: ['libc.so.6'] },
    provides: { 'libz.so.1': 'lib/libz.so.1' },
    build: { startedAt: '2024-05-01T10:00:00.000Z', durationMs: 12, tools: { cc: '12.2.0' }, vbuild: '0.1.0' },
  };
  return { manifest, bytes, file };
}

export const never = new AbortController().signal;

/** Every file below a folder, relative to it, in order. */
export const filesBelow = (top: string): string[] =>
  readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1))
    .sort();

/** Pushes a manifest that nobody signed. */
export const push = (manifest: Manifest, bodyFile: string, tier: CacheTier, signal: AbortSignal): Promise<boolean> =>
  pushSealed({ sealed: unsigned(manifest), bodyFile }, tier, signal);

/** What a look-up answers that finds it again. */
export const hit = (manifest: Manifest): Answer => ({ outcome: 'hit', ...unsigned(manifest) });
