/** Thousands of sound and damaged archives: an answer each in bounded time, nothing outside of the folder, no link that leads there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { VbuildError } from '../../src/model/error.ts';
import { unpackArchive } from '../../src/system/archive.ts';
import { leadsOut } from '../../src/system/archive-guard.ts';
import { walk } from '../../src/system/files.ts';
import { edits, mutated } from '../support/mutate.ts';
import { tempDir, type WithCleanUp } from '../support/temp.ts';
import { rawPax, rawTar } from '../support/upstream.ts';

const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'link') },
  { weight: 1, arbitrary: fc.constantFrom('.', '..', '', '\u00e9', ' ', '\\', '-rf', '*', 'A', '\u0000') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const bytes = fc.uint8Array({ maxLength: 40 }).map((all) => Buffer.from(all));

/** Mostly files, folders and links, now and then any type there is. */
const member = fc
  .record({
    name: fc.oneof({ weight: 8, arbitrary: path }, { weight: 1, arbitrary: bytes }),
    type: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('0', '0', '0', '5', '2', '2', '1') },
      { weight: 1, arbitrary: fc.constantFrom('3', '4', '6', '7', 'L', 'K', 'x', 'g', 'S', 'V', 'Z', '\0', '9') },
    ),
    link: fc.oneof({ weight: 8, arbitrary: path }, { weight: 1, arbitrary: bytes }),
    content: fc.oneof(fc.constantFrom('', 'x'), bytes),
    mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o6777, 0),
    size: fc.oneof(
      { weight: 12, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 513, 8 ** 11 - 1) },
    ),
    pax: fc.oneof(
      { weight: 10, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: path.map((value) => ({ path: value })) },
      { weight: 1, arbitrary: path.map((value) => ({ linkpath: value })) },
      {
        weight: 1,
        arbitrary: fc.constantFrom({ size: '5' }, { size: '-1' }, { size: '1e9' }, { 'GNU.sparse.major': '1' }),
      },
    ),
  })
  .map(({ pax, size, type, link, content, ...rest }) => {
    const isLink = type === '1' || type === '2';
    const one = {
      ...rest,
      type,
      link: isLink ? link : '',
      content: isLink || type === '5' ? '' : content,
      ...(size !== undefined && { size }),
    };
    return pax === undefined ? [one] : [rawPax(pax), one];
  });
const tar = fc
  .tuple(fc.array(member, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([members, end]) => rawTar(members.flat(), { end }));

interface Ground {
  /** Unpacks bytes and insists on what must hold whatever they are. */
  tries(archive: Buffer): Promise<void>;
  readonly answers: { unpacked: number; refused: number };
}

function ground(t: WithCleanUp): Ground {
  const top = tempDir(t, 'fuzz');
  const into = join(top, 'x/y/into');
  const answers = { unpacked: 0, refused: 0 };
  mkdirSync(join(top, 'x/y'), { recursive: true });
  writeFileSync(join(top, 'x/y/victim'), 'as it was');
  return {
    answers,
    async tries(archive) {
      rmSync(into, { recursive: true, force: true });
      mkdirSync(into);
      writeFileSync(join(top, 'archive'), archive);
      try {
        await unpackArchive({ file: join(top, 'archive'), into, ...(archive.length % 2 === 0 && { strip: 0 }) });
        answers.unpacked += 1;
        const entries = walk(into);
        const links = new Map(
          entries.flatMap((one): [string, string][] => (one.target === undefined ? [] : [[one.path, one.target]])),
        );
        for (const { path: name, type, mode, target } of entries) {
          assert.notEqual(type, 'other');
          if (target !== undefined) assert.equal(leadsOut(name, target, links), false, name);
          else assert.ok(mode === 0o755 || (mode === 0o644 && type === 'file'), `${name} ${mode.toString(8)}`);
        }
      } catch (error) {
        if (!(error instanceof VbuildError)) throw error;
        assert.equal(error.code, 'archive-refused', `${error.message} ${JSON.stringify(error.facts)}`);
        answers.refused += 1;
      }
      assert.deepEqual(
        [readdirSync(top).sort(), readdirSync(join(top, 'x')), readdirSync(join(top, 'x/y')).sort()],
        [['archive', 'x'], ['y'], ['into', 'victim']],
      );
      assert.equal(readFileSync(join(top, 'x/y/victim'), 'utf8'), 'as it was');
      assert.equal(existsSync('/tmp/evil'), false);
    },
  };
}

const options = (runs: number): { numRuns: number } => ({ numRuns: runs });
const limit = { timeout: 1_200_000 } as const;

test('3500 tar archives of odd members, half of them damaged, are unpacked inside or refused', limit, async (t) => {
  const { tries, answers } = ground(t);
  const damage = fc.oneof(fc.constant([]), edits(512));
  await fc.assert(
    fc.asyncProperty(tar, damage, (archive, changes) => tries(mutated(archive, changes))),
    options(3500),
  );
  assert.ok(answers.unpacked > 200 && answers.refused > 200, JSON.stringify(answers));
});

test(
  '800 compressed tar archives, damaged inside or outside of the compression, are unpacked inside or refused',
  limit,
  async (t) => {
    const { tries, answers } = ground(t);
    const pack = fc.constantFrom(gzipSync, zstdCompressSync);
    await fc.assert(
      fc.asyncProperty(
        tar,
        edits(512, 2),
        pack,
        fc.oneof(fc.constant([]), edits(16, 2)),
        (archive, inside, compress, changes) => tries(mutated(compress(mutated(archive, inside)), changes)),
      ),
      options(800),
    );
    assert.ok(answers.unpacked > 20 && answers.refused > 200, JSON.stringify(answers));
  },
);

/** What is unpacked, or undefined for what is refused. */
async function unpackedFrom(archive: Buffer, top: string): Promise<readonly string[] | undefined> {
  const [file, into] = [join(top, 'archive'), join(top, 'into')];
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into);
  writeFileSync(file, archive);
  try {
    await unpackArchive({ file, into, strip: 0 });
  } catch (error) {
    if (error instanceof VbuildError) return undefined;
    throw error;
  }
  return walk(into).map(({ path: name, type, mode, target }) => {
    const content = type === 'file' ? readFileSync(join(into, name), 'hex') : (target ?? '');
    return `${type} ${mode} ${JSON.stringify(name)} ${content}`;
  });
}

test(
  '600 archives, half of them damaged, are read alike with and without the parser that knows all dialects',
  limit,
  async (t) => {
    const top = tempDir(t, 'readers');
    // From the first member on that is not plain all goes through it.
    const odd = rawTar([rawPax({ path: 'odd one' }), { name: 'x' }], { end: false });
    const isOdd = (line: string): boolean => line.startsWith('file 420 "odd one"');
    const answers = { same: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(tar, fc.oneof(fc.constant([]), edits(512)), async (archive, changes) => {
        const tried = mutated(archive, changes);
        const alone = await unpackedFrom(tried, top);
        const parsed = (await unpackedFrom(Buffer.concat([odd, tried]), top))?.filter((line) => !isOdd(line));
        // With nothing in it the one is refused, and the other holds what was put before it.
        if (parsed?.length === 0) assert.ok(alone === undefined);
        else assert.deepEqual(alone, parsed);
        answers[alone === undefined ? 'refused' : 'same'] += 1;
      }),
      options(600),
    );
    assert.ok(answers.same > 30 && answers.refused > 30, JSON.stringify(answers));
  },
);

test('1500 damaged zip archives are unpacked inside or refused', limit, async (t) => {
  const top = tempDir(t, 'zips');
  const script = `
import sys, zipfile
def add(z, name, content, mode=0o100644, how=zipfile.ZIP_DEFLATED):
    info = zipfile.ZipInfo(name); info.create_system = 3; info.external_attr = mode << 16; info.compress_type = how
    z.writestr(info, content)
with zipfile.ZipFile(sys.argv[1] + '/a.zip', 'w') as z:
    add(z, 'p/', '', 0o040755); add(z, 'p/a', 'content ' * 20); add(z, 'p/run', 'x', 0o100755); add(z, 'p/l', 'a', 0o120777, 0)
with zipfile.ZipFile(sys.argv[1] + '/b.zip', 'w') as z:
    add(z, 'a/b/c', b'\\x00' * 900); add(z, 'a/../../evil', 'x'); add(z, 'a/up', '../..', 0o120777)
with zipfile.ZipFile(sys.argv[1] + '/c.zip', 'w') as z:
    add(z, 'one', 'stored', how=0); add(z, 'caf\\u00e9', 'x'); z.comment = b'with a comment PK\\x05\\x06'
`;
  execFileSync('python3', ['-W', 'ignore', '-c', script, top]);
  const zips = fc.constantFrom(...['a', 'b', 'c'].map((name) => readFileSync(join(top, `${name}.zip`))));
  const { tries, answers } = ground(t);
  await fc.assert(
    fc.asyncProperty(zips, edits(30, 3), (zip, changes) => tries(mutated(zip, changes))),
    options(1500),
  );
  assert.ok(answers.unpacked > 50 && answers.refused > 50, JSON.stringify(answers));
});

test('700 files of random bytes behind the first bytes of every format are refused', limit, async (t) => {
  const { tries, answers } = ground(t);
  const heads = fc.constantFrom('', '1f8b08', '28b52ffd', '504b0304', '504b0506', '000000', '7573746172');
  const rest = fc.uint8Array({ maxLength: 1200 });
  await fc.assert(
    fc.asyncProperty(heads, rest, (head, more) => tries(Buffer.concat([Buffer.from(head, 'hex'), more]))),
    options(700),
  );
  assert.equal(answers.unpacked, 0);
});
