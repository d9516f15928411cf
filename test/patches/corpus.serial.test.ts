/** Real series on real sources: in the dpkg dialect vbuild must leave every tree as GNU patch does, to the path, the mode and the byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempDir } from '../support/temp.ts';
import { compareWithGnu, fetchCorpus } from '../support/debian-corpus.ts';
import { smallPackages } from './corpus.ts';

/** So many packages must be had; a few more are taken where they are. */
const [least, most] = [40, 44];

test(`the series of ${least} Debian source packages and more give the trees that GNU patch makes of them`, {
  timeout: 900_000,
}, async (t) => {
  const corpus = await fetchCorpus(smallPackages, tempDir(t, 'corpus'), most);
  const { packages, passedOver } = corpus;
  const patches = packages.reduce((sum, one) => sum + one.patches.length, 0);
  t.diagnostic(`${packages.length} packages, ${patches} patches; not to be had: ${passedOver.join(' ') || 'none'}`);
  for (const one of packages)
    await t.test(`${one.name} ${one.version}: ${one.patches.length} patches`, () => compareWithGnu(one));
  assert.ok(packages.length >= least, `only ${packages.length} packages are to be had`);
  assert.ok(patches >= 300, `only ${patches} patches`);
});
