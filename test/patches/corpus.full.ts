/** The larger part of the corpus: as corpus.serial.test.ts, and what the strict dialect makes of the same series. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempDir } from '../support/temp.ts';
import { compareWithGnu, fetchCorpus, strictOutcome } from '../support/debian-corpus.ts';
import { furtherPackages, smallPackages } from './corpus.ts';

test('the series of all packages of the corpus give the trees that GNU patch makes of them; strict refuses, or differs by empty files only', {
  timeout: 1_500_000,
}, async (t) => {
  const { packages, passedOver } = await fetchCorpus([...furtherPackages, ...smallPackages], tempDir(t, 'corpus'));
  const patches = packages.reduce((sum, one) => sum + one.patches.length, 0);
  t.diagnostic(`${packages.length} packages, ${patches} patches; not to be had: ${passedOver.join(' ') || 'none'}`);
  for (const one of packages) {
    await t.test(`${one.name} ${one.version}: ${one.patches.length} patches`, async (each) => {
      const strict = await strictOutcome(one);
      if (strict !== 'the same tree') each.diagnostic(`strict: ${strict}`);
      await compareWithGnu(one);
    });
  }
  assert.ok(packages.length >= 60, `only ${packages.length} packages are to be had`);
});
