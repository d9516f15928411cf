import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { parseManifest, serialiseManifest } from '../../src/artifact/manifest-text.ts';
import { digestOf } from '../../src/model/digest.ts';
import { manifestOf } from '../artifact/fixtures.ts';

const sample: Manifest = manifestOf('greet', {
  files: [
    { path: 'bin/greet', type: 'file', mode: 0o755, sizeBytes: 5, digest: digestOf('a'), prefix: { as: 'text' } },
    { path: 'lib/libgreet.so', type: 'symlink', target: 'libgreet.so.1' },
    { path: 'lib/libgreet.so.1', type: 'file', mode: 0o644, sizeBytes: 0, digest: digestOf('b') },
  ],
  dependencies: [{ name: 'zlib', version: '1.3', key: manifestOf('zlib').key, tree: digestOf('t') }],
  needs: { symbolVersions: { GLIBC: '2.34', GLIBCXX: '3.4.30' }, libraries: ['libc.so.6'] },
  provides: { 'libgreet.so.1': 'lib/libgreet.so.1' },
});

const parse = (data: unknown): ReturnType<typeof parseManifest> => parseManifest(Buffer.from(JSON.stringify(data)));
const rejection = (data: unknown): string => {
  const parsed = parse(data);
  return 'rejected' in parsed ? parsed.rejected : assert.fail('it was taken');
};

describe('serialiseManifest() and parseManifest()', () => {
  test('parseManifest() gives back what serialiseManifest() wrote', () => {
    assert.deepEqual(parseManifest(Buffer.from(serialiseManifest(sample))), { manifest: sample });
  });

  test('parseManifest() takes the place of the build, and a record without one', () => {
    for (const place of ['canonical', 'padded'] as const) {
      const manifest = { ...sample, build: { ...sample.build, place } };
      assert.deepEqual(parse(manifest), { manifest });
    }
    assert.match(rejection({ ...sample, build: { ...sample.build, place: 'elsewhere' } }), /build\.place/);
  });

  test('serialiseManifest() gives equal bytes for equal data, whatever the order of its fields', () => {
    const turned = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(turned)
        : value !== null && typeof value === 'object'
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, content]) => [key, turned(content)]),
            )
          : value;
    assert.equal(serialiseManifest(turned(sample) as Manifest), serialiseManifest(sample));
  });
});

describe('parseManifest() rejects', () => {
  const [first, link, last] = sample.files;
  const file = (more: object) => ({ ...sample, files: [{ ...first, ...more }, link, last] });
  const rows: readonly [title: string, data: unknown, reason: RegExp][] = [
    ['a newer format, by its number', { ...sample, format: 2 }, /format 2, this vbuild reads format 1/],
    ['what is no object', [], /format undefined/],
    ['nothing', null, /format undefined/],
    ['a missing field', { ...sample, tree: undefined }, /at tree/],
    ['an unknown field', { ...sample, extra: 1 }, /extra/],
    ['a key that is not of its text', { ...sample, keyText: '["a","b"]\n' }, /SHA-256 of the key text/],
    ...['none', '["a",1]\n', '["a","b","c"]\n', '["a","b"]', '["b",""]\n["a",""]\n', '["a",""]\n["a",""]\n'].map(
      (text): (typeof rows)[number] => [
        `the key text ${JSON.stringify(text)}`,
        { ...sample, keyText: text },
        /keyText/,
      ],
    ),
    ['a digest with capitals', { ...sample, tree: sample.tree.toUpperCase() }, /at tree.*64/],
    ['a name that leads out of its folder', { ...sample, package: { name: '../x', version: '1' } }, /package\.name/],
    ['a version with a slash', { ...sample, package: { name: 'x', version: '1/2' } }, /package\.version/],
    ['a negative size', { ...sample, body: { ...sample.body, sizeBytes: -1 } }, /body\.sizeBytes/],
    ['a fraction of a byte', file({ sizeBytes: 0.5 }), /files\.0\.sizeBytes/],
    ['no files', { ...sample, files: [] }, /files/],
    ['a path that leads out', file({ path: '../bin/greet' }), /plain relative path/],
    ['an absolute path', file({ path: '/bin/greet' }), /plain relative path/],
    ['a path with a dot part', file({ path: 'bin/./greet' }), /plain relative path/],
    ['a path with a line end', file({ path: 'bin/gr\neet' }), /plain relative path/],
    ['a path with half a character', file({ path: 'bin/\ud800' }), /plain relative path/],
    ['a mode that gives rights', file({ mode: 0o4755 }), /files\.0\.mode/],
    ['a file without a digest', file({ digest: undefined }), /files\.0\.digest/],
    ['files out of order', { ...sample, files: [last, first] }, /not in order/],
    ['a file that comes twice', { ...sample, files: [first, first] }, /not in order/],
    [
      'a file below a symlink',
      {
        ...sample,
        files: [
          { path: 'lib', type: 'symlink', target: 'bin' },
          { ...first, path: 'lib/x' },
        ],
        provides: {},
      },
      /"lib\/x" lies below a file/,
    ],
    [
      'an absolute symlink',
      { ...sample, files: [first, { ...link, target: '/etc/passwd' }, last] },
      /target inside the prefix/,
    ],
    [
      'a symlink that leads out',
      { ...sample, files: [first, { ...link, target: '../../x' }, last] },
      /target inside the prefix/,
    ],
    ['a symlink with a mode', { ...sample, files: [first, { ...link, mode: 0o644 }, last] }, /mode/],
    ['an unknown type', { ...sample, files: [{ ...first, type: 'device' }] }, /type/],
    [
      'a version that is no number',
      { ...sample, needs: { ...sample.needs, symbolVersions: { GLIBC: '2.x' } } },
      /symbolVersions/,
    ],
    [
      'a library that is not among the files',
      { ...sample, provides: { 'libx.so': 'lib/libx.so' } },
      /not among the files/,
    ],
    ['a time that is none', { ...sample, build: { ...sample.build, startedAt: 'yesterday' } }, /startedAt/],
    ['a tool with a terminal code', { ...sample, build: { ...sample.build, tools: { cc: '\u001b[31m' } } }, /tools/],
  ];
  for (const [title, data, reason] of rows)
    test(`parseManifest() rejects ${title}`, () => assert.match(rejection(data), reason));

  test('parseManifest() rejects bytes that are no JSON or no UTF-8', () => {
    for (const bytes of [Buffer.from('{'), Buffer.from([0x22, 0xff, 0x22]), Buffer.alloc(0)])
      assert.match(JSON.stringify(parseManifest(bytes)), /not JSON/);
  });

  test('parseManifest() never throws, whatever JSON it is given', () => {
    fc.assert(fc.property(fc.json(), (text) => 'rejected' in parseManifest(Buffer.from(text))));
    const part = fc.constantFrom(...Object.keys(sample));
    fc.assert(fc.property(part, fc.jsonValue(), (name, value) => void parse({ ...sample, [name]: value })));
  });
});
