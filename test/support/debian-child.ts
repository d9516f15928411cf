/** Pins and fetches a Debian source in a process of its own, as another user if asked to; prints the pin as JSON. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { debian, debianKind } from '../../src/sources/debian.ts';
import type { Digest } from '../../src/model/digest.ts';
import type { Turn } from '../../src/sources/source.ts';
import { blobStore } from '../../src/system/blob-store.ts';

const { top, name, version, environment, uid } = JSON.parse(process.argv[2] ?? '') as {
  readonly top: string;
  readonly name: string;
  readonly version: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly uid?: number;
};

// Loaded before the rights are dropped: the checkout may lie where that user cannot read.
await Promise.all([import('../../src/system/apt.ts'), import('../../src/system/archive.ts')]);
if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}

const blobs = blobStore(join(top, 'blobs'));
const context = {
  package: `${name}@${version}`,
  version,
  buildfileFolder: top,
  blobs,
  findBlob: async (digest: Digest) => blobs.find(digest),
  alone: <Result>(_name: string, work: (turn: Turn) => Promise<Result>) => work({ leave: () => {} }),
  mirrors: [],
  state: join(top, 'state', name),
  environment,
  offline: false,
  emit: () => {},
  signal: new AbortController().signal,
};
const target = { tree: join(top, name, 'tree'), series: join(top, name, 'series') };
for (const folder of [context.state, target.tree, target.series]) mkdirSync(folder, { recursive: true });
const spec = debian(name);
const pin = await debianKind.resolve(spec, context);
await debianKind.fetch(spec, pin, target, context);
process.stdout.write(JSON.stringify({ pin, uid: process.getuid?.() }));
