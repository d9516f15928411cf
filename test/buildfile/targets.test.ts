import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineBuild, definePackage } from '../../src/buildfile/package.ts';
import { insistOnOnePrefix, selectTargets } from '../../src/buildfile/targets.ts';
import { validate } from '../../src/buildfile/validate.ts';
import { autotools, debian } from '../../src/index.ts';
import { type VbuildError, VbuildErrors } from '../../src/model/error.ts';
import type { Package } from '../../src/index.ts';

const pack = (name: string, version: string, deps: readonly Package[] = []): Package =>
  definePackage(name, { version, source: debian('zlib'), deps, recipe: autotools() });
const old = pack('zlib', '1.2');
const next = pack('zlib', '1.3');
const png = pack('libpng', '1.6', [old]);
const tiff = pack('tiff', '4.5', [next]);
const build = validate(defineBuild({ packages: [old, next, png, tiff], defaults: [tiff] }));

/** The problems with which targets are refused, as code, what was expected, and how to mend it. */
function refusals(targets: readonly string[]): readonly (readonly [string, string | undefined, string])[] {
  try {
    selectTargets(build, targets);
    return [];
  } catch (thrown) {
    const errors = thrown instanceof VbuildErrors ? thrown.errors : [thrown as VbuildError];
    return errors.map(({ code, facts, mend }) => [code, facts['expected'], mend]);
  }
}

test('selectTargets() gives the defaults when there are no targets', () => {
  assert.deepEqual(selectTargets(build, []), [tiff]);
});

test('selectTargets() takes names and name@version, in the order given, each once', () => {
  assert.deepEqual(selectTargets(build, ['tiff', 'zlib@1.3', 'libpng', 'tiff@4.5', 'tiff']), [tiff, next, png]);
});

const refused: readonly (readonly [target: string, code: string, expected: string, mend: string])[] = [
  ['tif', 'unknown-target', 'one of zlib, libpng, tiff', 'say tiff'],
  ['TIFF', 'unknown-target', 'one of zlib, libpng, tiff', 'say tiff'],
  ['lisst', 'unknown-target', 'one of zlib, libpng, tiff', 'see what there is with: vbuild list; list is a command'],
  ['something', 'unknown-target', 'one of zlib, libpng, tiff', 'see what there is with: vbuild list'],
  ['zlib', 'ambiguous-target', 'zlib@1.2 or zlib@1.3', 'name one with its version, such as zlib@1.2'],
  ['zlib@1.4', 'unknown-target', 'zlib@1.2 or zlib@1.3', 'say zlib@1.2 or zlib@1.3'],
  ['libpgn@1.6', 'unknown-target', 'one of zlib, libpng, tiff', 'say libpng'],
  [
    'CFLAGS=-O3',
    'unknown-target',
    'one of zlib, libpng, tiff',
    'set variables in the recipe, as in env: { CFLAGS: … }; vbuild plan --set says beforehand what that comes to',
  ],
  ['', 'unknown-target', 'one of zlib, libpng, tiff', 'see what there is with: vbuild list'],
];
for (const [target, code, expected, mend] of refused) {
  test(`selectTargets() refuses "${target}"`, () => {
    assert.deepEqual(refusals([target]), [[code, expected, mend]]);
  });
}

test('selectTargets() lists every target that it refuses', () => {
  assert.deepEqual(
    refusals(['tif', 'tiff', 'zlib']).map(([code]) => code),
    ['unknown-target', 'ambiguous-target'],
  );
});

test('insistOnOnePrefix() refuses targets that bring two versions of one package, with both ways to them', () => {
  insistOnOnePrefix([png]);
  insistOnOnePrefix([tiff, next]);
  assert.throws(() => insistOnOnePrefix([png, tiff]), {
    code: 'buildfile-invalid',
    facts: { expected: 'one version of zlib', first: 'libpng@1.6 → zlib@1.2', second: 'tiff@4.5 → zlib@1.3' },
  });
});
