/** The option `trust` of a build: every mistake in it is listed, and no secret shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BuildOptions, defineBuild, definePackage } from '../../src/buildfile/package.ts';
import { validate } from '../../src/buildfile/validate.ts';
import { autotools, debian, type TrustOptions } from '../../src/index.ts';
import { newMinisignKey } from '../../src/key/minisign.ts';
import { VbuildErrors } from '../../src/model/error.ts';

const pair = newMinisignKey();
const line = (file: string): string => file.split('\n')[1] ?? '';
const publicKey = line(pair.publicFile);
const key = { name: 'ci', publicKey, role: 'ci' };
const other = { name: 'next', publicKey: line(newMinisignKey().publicFile), role: 'ci' };
const zlib = definePackage('zlib', { version: '1', source: debian('zlib'), recipe: autotools() });

function mistakes(trust: unknown): { option: string | undefined; found: string | undefined; mend: string }[] {
  try {
    validate(defineBuild({ packages: [zlib], trust } as BuildOptions));
    return [];
  } catch (thrown) {
    if (!(thrown instanceof VbuildErrors)) throw thrown;
    return thrown.errors.map(({ facts, mend }) => ({ option: facts['option'], found: facts['found'], mend }));
  }
}

test('validate() takes keys with names and roles, and what is required of them', () => {
  const trust: TrustOptions = { keys: [key, other], require: { builder: 'ci', ref: 'main' } };
  assert.deepEqual(validate(defineBuild({ packages: [zlib], trust })).trust, trust);
  assert.deepEqual(mistakes({ keys: [key], require: { ref: 'refs/tags/v1' } }), []);
  assert.deepEqual(mistakes({ keys: [key], require: {} }), []);
});

const table: readonly (readonly [name: string, trust: unknown, options: readonly string[]])[] = [
  ['no keys', {}, ['trust.keys']],
  ['an empty list of keys', { keys: [] }, ['trust.keys']],
  ['a key without a role', { keys: [{ name: 'ci', publicKey }] }, ['trust.keys[0].role']],
  ['a misspelt option', { keys: [key], requires: {} }, ['trust.requires']],
  ['a key that is none', { keys: [{ ...key, publicKey: 'RWQ' }] }, ['trust.keys[0].publicKey']],
  ['a path in place of a key', { keys: [{ ...key, publicKey: 'ci.pub' }] }, ['trust.keys[0].publicKey']],
  ['a builder that no key has', { keys: [key], require: { builder: 'cy' } }, ['trust.require.builder']],
  ['a branch by its full name', { keys: [key], require: { ref: 'refs/heads/main' } }, ['trust.require.ref']],
  ['two keys of one name', { keys: [key, { ...other, name: 'ci' }] }, ['trust.keys[1]']],
  ['one key twice', { keys: [key, { ...key, name: 'again' }] }, ['trust.keys[1]']],
  ['a list', [key], ['trust']],
];
for (const [name, trust, options] of table) {
  test(`validate() refuses ${name}`, () => {
    assert.deepEqual(
      mistakes(trust).map(({ option }) => option),
      options,
    );
  });
}

test('validate() suggests the role that was meant', () => {
  assert.match(mistakes({ keys: [key], require: { builder: 'cii' } })[0]?.mend ?? '', /'ci'/);
});

test('a secret key in place of a public one is told as such, and never shown', () => {
  for (const text of [line(pair.secretFile), pair.secretFile]) {
    const [mistake, ...others] = mistakes({ keys: [{ ...key, publicKey: text }] });
    assert.deepEqual([mistake?.found, others], ['a secret key', []]);
    assert.match(mistake?.mend ?? '', /^take it out/);
  }
});
