import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Places,
  realEnvironment,
  standardVariables,
  standardEnvironment,
  withPlaces,
} from '../../src/compile/environment.ts';
import { place } from '../../src/compile/recipe.ts';
import { systemPath } from '../../src/system/user-environment.ts';

const places: Places = { prefix: '/p', stage: '/w/stage', tree: '/w/tree', root: '/w', python: 'python3.11' };

test('the standard environment says nothing of this machine: no PATH, no user, no real folder', () => {
  const environment = standardEnvironment({ env: {} });
  assert.equal('PATH' in environment, false);
  const own = [process.cwd(), process.env['HOME'] ?? '/root', process.env['USER'] ?? 'nobody-at-all'];
  for (const [name, text] of Object.entries(environment))
    for (const word of own) assert.ok(!text.includes(word), `${name}=${text}`);
});

test("a recipe's variables are added, and stand in place of the standard ones", () => {
  const environment = standardEnvironment({ env: { CFLAGS: `${standardVariables.CFLAGS} -DMORE`, ZZ: '1', AA: '2' } });
  assert.ok(environment['CFLAGS']?.endsWith(' -DMORE'));
  const names = Object.keys(environment);
  assert.deepEqual(names, [...names].sort());
  assert.equal(environment['ZZ'], '1');
});

test('the real environment has the same variables and PATH, and no symbol is left in it', () => {
  const symbolic = standardEnvironment({ env: { MAX: place.jobs, WHERE: `${place.tree}:${place.stage}` } });
  const real = realEnvironment(symbolic, places, 7);
  assert.deepEqual(Object.keys(real).sort(), [...Object.keys(symbolic), 'PATH'].sort());
  assert.equal(real['MAX'], '7');
  assert.equal(real['WHERE'], '/w/tree:/w/stage');
  assert.equal(real['PATH'], `/p/bin:${systemPath}`);
  for (const text of Object.values(real)) assert.doesNotMatch(text, /@[a-z]+@/);
});

test('withPlaces() replaces each symbol and leaves every other text between at-signs alone', () => {
  assert.equal(
    withPlaces(`s/@VERSION@/1/ @libdir@ ${place.prefix}/${place.python}`, places, 1),
    's/@VERSION@/1/ @libdir@ /p/python3.11',
  );
});

test('withPlaces() takes a place as it is, whatever characters it has', () => {
  assert.equal(withPlaces(place.prefix, { ...places, prefix: '/a $& $1 @tree@' }, 1), '/a $& $1 @tree@');
});
