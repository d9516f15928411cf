import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import type { VbuildError } from '../../src/model/error.ts';
import { walk } from '../../src/system/files.ts';
import { packTree, unpackTree } from '../../src/system/tree-archive.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { writeCompressed } from '../../src/system/zstd-file.ts';
import { zstdPieces } from '../../src/system/zstd-read.ts';
import { piecesByThread } from '../../src/system/zstd-thread.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { packWithTar, rawTar } from '../support/upstream.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Half of it noise, so that no two are alike and blocks of every kind come up. */
function content(seed: number, bytes: number): Buffer {
  const noise = createHash('shake256', { outputLength: bytes >> 1 })
    .update(String(seed))
    .digest();
  return Buffer.concat([noise, Buffer.alloc(bytes - noise.length, `text ${seed}\n`)]);
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const piece of pieces) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

for (const [title, sizes] of [
  ['one short piece', [1000]],
  ['several pieces, the last one short', [2 ** 23, 2 ** 23, 2 ** 23, 2 ** 23, 70_000]],
] as const)
  test(`${title} is read as it was written: by zstd, here, and on a thread`, async (t) => {
    const file = join(tempDir(t), 'a.zst');
    const plain = sizes.map((bytes, at) => content(at, bytes));
    const { digest, sizeBytes, unpackedBytes } = await writeCompressed(plain, file);
    const [written, whole] = [readFileSync(file), Buffer.concat(plain)];
    assert.deepEqual([sizeBytes, unpackedBytes, digest], [written.length, whole.length, sha256(written)]);
    assert.ok(execFileSync('zstd', ['-dc', file], { maxBuffer: 2 ** 30 }).equals(whole));
    assert.ok((await joined(zstdPieces(file))).equals(whole));
    assert.ok((await joined(piecesByThread(file))).equals(whole));
  });

test('a thread takes the digests of all regular files, wherever they lie in its pieces', async (t) => {
  const file = join(tempDir(t), 'a.tar.zst');
  const files = [0, 1, 511, 512, 513, 524_288, 523_776, 3_000_000, 1024, 0, 700_001].map((bytes, at) =>
    content(at, bytes),
  );
  const members = files.flatMap((bytes, at) => [
    { name: `folder${at}/`, type: '5' as const },
    { name: `folder${at}/file`, content: bytes },
    { name: `folder${at}/link`, type: '2' as const, link: 'file' },
  ]);
  const tar = rawTar(members);
  // One size as it is written where octal digits have no room for it.
  const header = tar.indexOf('folder3/file');
  tar.fill(0, header + 124, header + 136);
  tar.writeUInt8(0x80, header + 124);
  tar.writeBigUInt64BE(BigInt(files[3]?.length ?? 0), header + 128);
  writeFileSync(file, zstdCompressSync(tar));
  const pieces = piecesByThread(file);
  await joined(pieces);
  assert.deepEqual(pieces.digests, files.map(sha256));
});

test('a thread that is left before the end, or meets damage, holds nothing up, and the next one has its own', async (t) => {
  const top = tempDir(t);
  const [file, damaged] = [join(top, 'a.zst'), join(top, 'damaged.zst')];
  const plain = content(7, 2 ** 24);
  await writeCompressed([plain], file);
  const bytes = readFileSync(file);
  writeFileSync(damaged, Buffer.concat([bytes.subarray(0, -2), Buffer.alloc(2)]));
  for await (const piece of piecesByThread(file)) {
    assert.ok(piece.length > 0);
    break;
  }
  await assert.rejects(joined(piecesByThread(damaged)), { code: /^ZSTD_/ });
  writeFileSync(damaged, Buffer.concat([bytes, Buffer.from('and more')]));
  await assert.rejects(joined(piecesByThread(damaged)), { code: /^ZSTD_/ });
  const both = await Promise.all([joined(piecesByThread(file)), joined(piecesByThread(file))]);
  assert.ok(both.every((one) => one.equals(plain)));
});

test('a large tree comes out of an archive with the digest of each file, and out of none that is damaged', async (t) => {
  const top = tempDir(t);
  const [tree, file, damaged] = [join(top, 'tree'), join(top, 'a.tar.zst'), join(top, 'damaged.tar.zst')];
  const long = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
  writeTree(tree, {
    ...Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`d${at % 3}/f${at}`, content(at, 900_000)])),
    [`${long}/${'f'.repeat(120)}`]: content(31, 600_000),
  });
  await packTree(tree, file);
  const into = (name: string): string => {
    mkdirSync(join(top, name));
    return join(top, name);
  };
  assert.equal(await unpackTree({ file, into: into('whole') }), treeDigest(tree));
  assert.equal(treeDigest(join(top, 'whole')), treeDigest(tree));
  assert.deepEqual(
    walk(join(top, 'whole')).map(({ path }) => path),
    walk(tree).map(({ path }) => path),
  );

  const whole = readFileSync(file);
  for (const share of [0.1, 0.4, 0.7, 0.999]) {
    const bytes = Buffer.from(whole);
    const at = Math.floor(bytes.length * share);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(damaged, bytes);
    await assert.rejects(
      unpackTree({ file: damaged, into: into(`damaged at ${share}`) }),
      (error: VbuildError) => error.code === 'archive-refused',
    );
  }
});

test('hard links of a large archive have the digest of what they name', async (t) => {
  const top = tempDir(t);
  const [tree, file, into] = [join(top, 'tree'), join(top, 'a.tar.zst'), join(top, 'into')];
  writeTree(tree, { 'a/one': content(1, 5_000_000), 'a/two': content(2, 5_000_000) });
  execFileSync('ln', [join(tree, 'a/one'), join(tree, 'a/three')]);
  packWithTar(tree, file, { compression: 'zstd' });
  mkdirSync(into);
  assert.equal(await unpackTree({ file, into }), treeDigest(into));
});
