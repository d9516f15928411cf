import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchEnvironment } from '../../src/system/environment-reads.ts';
import { type Question, quickAnswer, rememberAnswer } from '../../src/system/quick.ts';
import { tempDir } from '../support/temp.ts';

const answer = 'nothing to do\n';

/** A question about one file, one link and one variable, remembered when they are old enough to be trusted. */
async function remembered(
  t: Parameters<typeof tempDir>[0],
): Promise<{ folder: string; question: Question; files: string[] }> {
  const folder = tempDir(t);
  const [file, link, absent] = ['file', 'link', 'absent'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(file, 'one');
  symlinkSync('file', link);
  const question = { argv: ['pil'], cwd: folder, env: { VBUILD_CACHE: join(folder, 'cache'), SITE: 'a' } };
  const files = [file, link, absent];
  await sleep(2100);
  rememberAnswer(question, { files, environment: ['SITE', 'UNSET'], answer });
  assert.equal(quickAnswer(question), answer);
  return { folder, question, files };
}

test('an answer holds until anything that it rests on changes', async (t) => {
  const { folder, question, files } = await remembered(t);
  const other = (change: Partial<Question>): string | undefined => quickAnswer({ ...question, ...change });
  assert.equal(other({ argv: ['pil', '-k'] }), undefined, 'another command line');
  assert.equal(other({ cwd: '/' }), undefined, 'another folder');
  assert.equal(other({ env: { ...question.env, SITE: 'b' } }), undefined, 'a variable changed');
  assert.equal(other({ env: { ...question.env, UNSET: '' } }), undefined, 'a variable appeared');
  assert.equal(other({ env: { ...question.env, OTHER: 'x' } }), answer, 'a variable that nobody read');

  const [file, link, absent] = files as [string, string, string];
  writeFileSync(absent, '');
  assert.equal(quickAnswer(question), undefined, 'a file appeared');
  unlinkSync(absent);
  assert.equal(quickAnswer(question), answer);

  unlinkSync(link);
  symlinkSync('elsewhere', link);
  assert.equal(quickAnswer(question), undefined, 'the link points elsewhere');
  unlinkSync(link);
  symlinkSync('file', link);
  assert.equal(quickAnswer(question), answer);

  writeFileSync(file, 'two');
  utimesSync(file, 1_600_000_000, 1_600_000_000);
  assert.equal(quickAnswer(question), undefined, 'the file changed, whatever its time says');
  assert.ok(folder);
});

test('nothing is remembered while a file is too young to be told from its next version', (t) => {
  const folder = tempDir(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'one');
  const question = { argv: [], cwd: folder, env: { VBUILD_CACHE: join(folder, 'cache') } };
  rememberAnswer(question, { files: [file], environment: [], answer });
  assert.equal(quickAnswer(question), undefined);
});

test('a damaged index, or no place for one, only means the long way', async (t) => {
  const { folder, question, files } = await remembered(t);
  rmSync(join(folder, 'cache'), { recursive: true });
  assert.equal(quickAnswer(question), undefined);
  mkdirSync(join(folder, 'cache'));
  writeFileSync(join(folder, 'cache', 'quick'), 'a file in the place of the folder');
  rememberAnswer(question, { files, environment: [], answer });
  assert.equal(quickAnswer(question), undefined);
  assert.equal(quickAnswer({ ...question, env: {} }), undefined);
});

test('watchEnvironment() names what was read, and says so when everything was', () => {
  const real = process.env;
  {
    using reads = watchEnvironment();
    assert.equal(process.env['VBUILD_NOT_SET'], undefined);
    assert.ok('PATH' in process.env);
    assert.deepEqual(reads.names(), ['VBUILD_NOT_SET', 'PATH']);
    assert.ok(Object.keys({ ...process.env }).length > 0);
    assert.equal(reads.names(), undefined);
  }
  assert.equal(process.env, real);
});
