import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { BUILD_ROOT_LENGTH, buildRoot, canonicalRoot, hostOf, paddedRoot } from '../../src/artifact/build-root.ts';
import { VbuildError } from '../../src/model/error.ts';

test('paddedRoot() gives every folder a root of one length in bytes, inside that folder', () => {
  const folder = fc.array(
    fc.stringMatching(/^[a-zäöü0-9@_.-]{1,12}$/).filter((part) => !/^\.+$/.test(part)),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(folder, (parts) => {
      const path = `/${parts.join('/')}`;
      const root = paddedRoot(path);
      assert.equal(Buffer.byteLength(root), BUILD_ROOT_LENGTH);
      assert.equal(dirname(root), path);
    }),
  );
});

test('paddedRoot() takes a folder with a slash at its end for the same folder', () => {
  assert.equal(paddedRoot('/tmp/w/'), paddedRoot('/tmp/w'));
});

test('paddedRoot() takes the longest folder that leaves room, and refuses the next with a mend that names --work', () => {
  assert.equal(paddedRoot(`/${'a'.repeat(BUILD_ROOT_LENGTH - 3)}`).length, BUILD_ROOT_LENGTH);
  assert.throws(
    () => paddedRoot(`/${'a'.repeat(BUILD_ROOT_LENGTH - 2)}`),
    (error) => error instanceof VbuildError && error.code === 'usage' && error.mend.includes('--work'),
  );
});

test('paddedRoot() refuses characters that configure scripts and run paths take apart', () => {
  for (const character of [' ', ':', '$', '\t', '"', "'", '\\', ';', '*']) {
    assert.throws(
      () => paddedRoot(`/tmp/a${character}b`),
      (error) =>
        error instanceof VbuildError &&
        error.code === 'usage' &&
        error.facts['found']?.startsWith(JSON.stringify(character)) === true,
    );
  }
});

test('buildRoot() has one path for steps in every canonical place, as long as any padded one, and takes any folder', () => {
  assert.equal(Buffer.byteLength(canonicalRoot), BUILD_ROOT_LENGTH);
  for (const folder of ['/w', '/a work "folder": $x', `/${'long/'.repeat(60)}`]) {
    const { seen, host } = buildRoot(folder, 'canonical');
    assert.equal(seen, canonicalRoot);
    assert.equal(dirname(host), folder.replace(/\/$/, ''));
  }
});

test('buildRoot() without a namespace is the padded path for steps and for all others', () => {
  assert.deepEqual(buildRoot('/w', 'padded'), { seen: paddedRoot('/w'), host: paddedRoot('/w') });
  assert.throws(() => buildRoot('/a b', 'padded'), VbuildError);
});

test('hostOf() finds a root again from what its steps saw', () => {
  for (const place of ['canonical', 'padded'] as const) {
    const { seen, host } = buildRoot('/w/x', place);
    assert.equal(hostOf('/w/x', seen), host);
  }
});
