/** One piece of work on a tree as a build does it: `node bench/artifact.ts pack TREE BODY`, `unpack BODY MANIFEST TREE` or `hash TREE`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../src/artifact/manifest.ts';
import { unpackVerified } from '../src/artifact/unpack.ts';
import { contentKey } from '../src/key/fields.ts';
import { packTarZst } from '../src/system/archive.ts';
import { digestFileSync, walk } from '../src/system/files.ts';
import { treeDigest } from '../src/system/tree-digest.ts';

const [work, ...paths] = process.argv.slice(2);
const [first = '', second = '', third = ''] = paths;
switch (work) {
  case 'pack':
    await packTarZst({ top: first, paths: namesIn(first), into: second });
    break;
  case 'unpack':
    await unpackVerified({
      manifest: JSON.parse(readFileSync(second, 'utf8')) as Manifest,
      bodyFile: first,
      into: third,
    });
    break;
  case 'hash':
    treeDigest(first);
    break;
  // Packs and writes the manifest that `unpack` insists on.
  case 'describe': {
    const body = await packTarZst({ top: first, paths: namesIn(first), into: second });
    const files = walk(first).filter(({ type }) => type !== 'directory');
    const manifest: Manifest = {
      format: 1,
      package: { name: 'large', version: '1.0' },
      key: contentKey(''),
      keyText: '',
      body,
      tree: treeDigest(first),
      files: files.map(({ path, mode, sizeBytes: size }) => ({
        path,
        type: 'file',
        mode,
        sizeBytes: size,
        digest: digestFileSync(join(first, path)),
      })),
      dependencies: [],
      needs: { symbolVersions: {}, libraries: [] },
      provides: {},
      build: { startedAt: '2026-01-01T00:00:00.000Z', durationMs: 0, tools: {}, vbuild: '0.1.0' },
    };
    writeFileSync(third, JSON.stringify(manifest));
    break;
  }
  default:
    throw new Error(
      'usage: node bench/artifact.ts pack TREE BODY | unpack BODY MANIFEST TREE | hash TREE | describe TREE BODY MANIFEST',
    );
}

function namesIn(top: string): string[] {
  return walk(top).flatMap(({ path, type }) => (type === 'directory' ? [] : [path]));
}
