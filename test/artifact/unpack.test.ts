import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { type Packed, pack } from '../../src/artifact/pack.ts';
import { unpackVerified } from '../../src/artifact/unpack.ts';
import { packTarZst } from '../../src/system/archive.ts';
import { digestOf } from '../../src/model/digest.ts';
import { VbuildError } from '../../src/model/error.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { type BuildPlace, buildPlace, put, request } from './fixtures.ts';

describe('unpackVerified()', () => {
  let place: BuildPlace;
  let packed: Packed;
  before(async () => {
    place = buildPlace();
    put(place.staged, { 'bin/x': '#!/bin/sh\n', 'lib/a': 'a', 'lib/b': '-> a', 'share/ü b/c': 'c' });
    packed = await pack(request(place));
  });
  after(() => place[Symbol.dispose]());

  test('unpackVerified() gives back the tree that was packed, under any umask', async () => {
    const into = join(place.top, 'whole');
    const mask = process.umask(0o077);
    try {
      await unpackVerified({ manifest: packed.manifest, bodyFile: packed.bodyPath, into });
    } finally {
      process.umask(mask);
    }
    assert.equal(treeDigest(into), packed.manifest.tree);
    assert.equal(statSync(join(into, 'bin/x')).mode & 0o777, 0o755);
    assert.equal(statSync(join(into, 'lib/a')).mode & 0o777, 0o644);
  });

  /** Changes a copy of the packed tree, and a manifest that vouches for the changed body but not for its files. */
  async function forged(
    label: string,
    change: (tree: string) => void,
  ): Promise<{ manifest: Manifest; bodyFile: string }> {
    const tree = join(place.top, `forged-${label}`);
    await unpackVerified({ manifest: packed.manifest, bodyFile: packed.bodyPath, into: tree });
    change(tree);
    const bodyFile = `${tree}.tar.zst`;
    const paths = readdirSync(tree, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
      .sort();
    const body = await packTarZst({ top: tree, paths, into: bodyFile });
    return { manifest: { ...packed.manifest, body }, bodyFile };
  }

  const forgeries: readonly [title: string, change: (tree: string) => void, headline: RegExp][] = [
    ['another content', (tree) => writeFileSync(join(tree, 'lib/a'), 'A'), /not what its manifest says/],
    [
      'another mode',
      (tree) => (rmSync(join(tree, 'bin/x')), writeFileSync(join(tree, 'bin/x'), '#!/bin/sh\n')),
      /not what its manifest says/,
    ],
    [
      'another target',
      (tree) => (rmSync(join(tree, 'lib/b')), put(tree, { 'lib/b': '-> ../bin/x' })),
      /not what its manifest says/,
    ],
    [
      'a file for a link',
      (tree) => (rmSync(join(tree, 'lib/b')), writeFileSync(join(tree, 'lib/b'), 'a')),
      /not what its manifest says/,
    ],
    ['one file more', (tree) => put(tree, { 'lib/extra': 'x' }), /does not name/],
    ['one file less', (tree) => rmSync(join(tree, 'lib/a')), /lacks a file/],
  ];
  for (const [title, change, headline] of forgeries) {
    test(`unpackVerified() refuses a body with ${title}, and leaves nothing`, async () => {
      const { manifest, bodyFile } = await forged(title.replaceAll(' ', '-'), change);
      const into = join(place.top, 'refused');
      await assert.rejects(
        unpackVerified({ manifest, bodyFile, into }),
        (error) => error instanceof VbuildError && error.code === 'artifact-refused' && headline.test(error.message),
      );
      assert.ok(!existsSync(into));
      assert.ok(readdirSync(place.top).every((name) => !name.endsWith('.tmp')));
    });
  }

  const damages: readonly [title: string, damage: (body: string) => void][] = [
    ['cut short', (body) => truncateSync(body, 100)],
    ['longer', (body) => appendFileSync(body, 'x')],
    [
      'changed in one byte',
      (body) => writeFileSync(body, Buffer.from(readFileSync(body).map((byte, at) => (at === 50 ? byte ^ 1 : byte)))),
    ],
    ['gone', (body) => rmSync(body)],
  ];
  for (const [title, damage] of damages) {
    test(`unpackVerified() refuses a body that is ${title} before it unpacks anything`, async () => {
      const bodyFile = join(place.top, 'damaged.tar.zst');
      writeFileSync(bodyFile, readFileSync(packed.bodyPath));
      damage(bodyFile);
      const into = join(place.top, 'damaged');
      await assert.rejects(
        unpackVerified({ manifest: packed.manifest, bodyFile, into }),
        (error) =>
          error instanceof VbuildError && error.code === 'artifact-refused' && error.message.startsWith('Body'),
      );
      assert.ok(!existsSync(into));
    });
  }

  test('unpackVerified() refuses a manifest whose tree digest is not that of its own files', async () => {
    const manifest = { ...packed.manifest, tree: digestOf('other') };
    await assert.rejects(
      unpackVerified({ manifest, bodyFile: packed.bodyPath, into: join(place.top, 'x') }),
      /another digest/,
    );
  });
});
