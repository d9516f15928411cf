import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchEnvironment } from '../../src/system/environment-reads.ts';
import { type Question, quickAnswer, type Remembered, rememberAnswer } from '../../src/system/quick.ts';
import { tempDir, writeTree } from '../support/temp.ts';

const answer = 'nothing to do\n';

interface Site {
  readonly folder: string;
  readonly question: Question;
  readonly remembered: Omit<Remembered, 'startedMs'>;
}

/** An answer that rests on files, folders, links and variables of every sort. */
function siteIn(folder: string): Site {
  writeTree(folder, {
    file: 'one',
    'patches/series': 'a.patch\n',
    'patches/a.patch': 'a',
    'v1/part.ts': '1',
    'v2/part.ts': '1',
    'far/file': 'far',
  });
  for (const [target, path] of [
    ['file', 'link'],
    ['link', 'chain'],
    ['v1', 'current'],
    ['nowhere', 'dangling'],
    ['far', 'folder-link'],
  ] as const)
    symlinkSync(target, join(folder, path));
  const names = [
    'file',
    'absent',
    'patches',
    'patches/series',
    'patches/a.patch',
    'link',
    'chain',
    'current/part.ts',
    'dangling',
    'folder-link',
  ];
  return {
    folder,
    question: { argv: ['pil'], cwd: folder, env: { VBUILD_CACHE: join(folder, 'cache'), SITE: 'a' } },
    remembered: {
      files: names.map((name) => join(folder, name)),
      places: [join(folder, 'current')],
      environment: ['SITE', 'UNSET'],
      answer,
    },
  };
}

/** Changes that must be seen, each undone by what is made anew for the next one. */
const edits: readonly (readonly [what: string, edit: (at: (name: string) => string, site: Site) => void])[] = [
  ['a file got other content', (at) => writeFileSync(at('file'), 'other')],
  [
    'a file got other content of the same size, and its old time back',
    (at) => {
      const { atime, mtime } = statSync(at('file'));
      writeFileSync(at('file'), 'two');
      utimesSync(at('file'), atime, mtime);
    },
  ],
  [
    'a file was replaced by another one of the same size and time',
    (at) => {
      const { atime, mtime } = statSync(at('file'));
      writeFileSync(at('new'), 'two');
      utimesSync(at('new'), atime, mtime);
      renameSync(at('new'), at('file'));
    },
  ],
  ['a file got an earlier time', (at) => utimesSync(at('file'), 1_000_000_000, 1_000_000_000)],
  ['a file got a time to come', (at) => utimesSync(at('file'), 4_000_000_000, 4_000_000_000)],
  ['a file got another mode', (at) => chmodSync(at('file'), 0o755)],
  ['a file was emptied', (at) => truncateSync(at('file'))],
  ['a file was removed', (at) => unlinkSync(at('file'))],
  [
    'a folder took the place of a file',
    (at) => {
      unlinkSync(at('file'));
      mkdirSync(at('file'));
    },
  ],
  [
    'a link to the same content took the place of a file',
    (at) => {
      renameSync(at('file'), at('moved'));
      symlinkSync('moved', at('file'));
    },
  ],
  ['a file appeared where none was', (at) => writeFileSync(at('absent'), '')],
  ['a link to nowhere appeared where nothing was', (at) => symlinkSync('nowhere', at('absent'))],
  ['a patch was added to a folder', (at) => writeFileSync(at('patches/b.patch'), 'b')],
  ['a patch was dropped from a folder', (at) => unlinkSync(at('patches/a.patch'))],
  ['a patch was renamed', (at) => renameSync(at('patches/a.patch'), at('patches/c.patch'))],
  [
    'a folder was swapped for a copy',
    (at) => {
      renameSync(at('patches'), at('old'));
      mkdirSync(at('patches'));
      for (const name of ['series', 'a.patch']) copyFileSync(at(`old/${name}`), at(`patches/${name}`));
    },
  ],
  [
    'a link points elsewhere',
    (at) => {
      unlinkSync(at('link'));
      symlinkSync('far/file', at('link'));
    },
  ],
  [
    'a link says another way to the same file',
    (at) => {
      unlinkSync(at('link'));
      symlinkSync('./file', at('link'));
    },
  ],
  ['what a link leads to changed', (at) => writeFileSync(at('file'), 'by a link')],
  [
    'a link between a link and its end points elsewhere',
    (at) => {
      unlinkSync(at('link'));
      symlinkSync('v1/part.ts', at('link'));
    },
  ],
  [
    'a link above a file points elsewhere',
    (at) => {
      unlinkSync(at('current'));
      symlinkSync('v2', at('current'));
    },
  ],
  ['what a dangling link names appeared', (at) => writeFileSync(at('nowhere'), '')],
  ['a folder behind a link got another file', (at) => writeFileSync(at('far/more'), '')],
  [
    'the same folder lies elsewhere, and a link in its old place',
    (at) => {
      renameSync(at('v1'), at('v3'));
      symlinkSync('v3', at('v1'));
    },
  ],
];

test('an answer holds until anything that it rests on changes', async (t) => {
  const top = tempDir(t);
  const sites = edits.map(([what, edit], at) => ({ what, edit, site: siteIn(join(top, String(at))) }));
  const untouched = siteIn(join(top, 'untouched'));
  await sleep(2100);
  const startedMs = Date.now();
  for (const { question, remembered } of [...sites.map(({ site }) => site), untouched]) {
    rememberAnswer(question, { ...remembered, startedMs });
    assert.equal(quickAnswer(question), answer);
  }
  for (const { what, edit, site } of sites) {
    edit((name) => join(site.folder, name), site);
    assert.equal(quickAnswer(site.question), undefined, what);
  }
  const other = (change: Partial<Question>): string | undefined => quickAnswer({ ...untouched.question, ...change });
  const { env } = untouched.question;
  assert.equal(other({ argv: ['pil', '-k'] }), undefined, 'another command line');
  assert.equal(other({ cwd: '/' }), undefined, 'another folder');
  assert.equal(other({ env: { ...env, SITE: 'b' } }), undefined, 'a variable changed');
  assert.equal(other({ env: { ...env, SITE: undefined } }), undefined, 'a variable is gone');
  assert.equal(other({ env: { ...env, UNSET: '' } }), undefined, 'a variable appeared');
  assert.equal(other({ env: { ...env, OTHER: 'x' } }), answer, 'a variable that nobody read');
  assert.equal(other({}), answer);
});

test('nothing is remembered while a file is too young to be told from its next version', (t) => {
  const { question, remembered } = siteIn(join(tempDir(t), 'site'));
  rememberAnswer(question, { ...remembered, startedMs: Date.now() });
  assert.equal(quickAnswer(question), undefined);
});

test('nothing is remembered of a file that may have changed since it was read, however long ago that is', async (t) => {
  const { folder, question, remembered } = siteIn(join(tempDir(t), 'site'));
  await sleep(2100);
  const startedMs = Date.now();
  writeFileSync(join(folder, 'file'), 'two');
  await sleep(2100);
  rememberAnswer(question, { ...remembered, startedMs });
  assert.equal(quickAnswer(question), undefined);
});

test('nothing is remembered while the clock is being set', async (t) => {
  const { question, remembered } = siteIn(join(tempDir(t), 'site'));
  await sleep(2100);
  const startedMs = Date.now();
  for (const movedMs of [-3_600_000, 3_600_000]) {
    t.mock.method(Date, 'now', () => startedMs + movedMs, { times: 1 });
    rememberAnswer(question, { ...remembered, startedMs });
    assert.equal(quickAnswer(question), undefined);
  }
  t.mock.restoreAll();
  rememberAnswer(question, { ...remembered, startedMs });
  assert.equal(quickAnswer(question), answer);
});

test('a damaged index, or no place for one, only means the long way', async (t) => {
  const { folder, question, remembered } = siteIn(join(tempDir(t), 'site'));
  await sleep(2100);
  const again = (): void => rememberAnswer(question, { ...remembered, startedMs: Date.now() });
  again();
  const quick = join(folder, 'cache/quick');
  const [name = ''] = readdirSync(quick);
  const whole = readFileSync(join(quick, name));
  for (let length = 0; length < whole.length; length += 7) {
    writeFileSync(join(quick, name), whole.subarray(0, length));
    assert.equal(quickAnswer(question), undefined, `${length} of ${whole.length} bytes`);
  }
  writeFileSync(join(quick, name), whole);
  assert.equal(quickAnswer(question), answer);
  rmSync(join(folder, 'cache'), { recursive: true });
  assert.equal(quickAnswer(question), undefined);
  mkdirSync(join(folder, 'cache'));
  writeFileSync(quick, 'a file in the place of the folder');
  again();
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
