/** What version control says of what is published: clean or not, and from which ref. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { refOf } from '../../src/build/provenance.ts';
import { checkoutOf } from '../../src/system/checkout.ts';
import { checkIn } from '../support/check-in.ts';
import { tempDir, writeTree } from '../support/temp.ts';

const [here, elsewhere] = ['a'.repeat(40), 'b'.repeat(40)];
const refs: readonly (readonly [
  name: string,
  env: Record<string, string>,
  checkedOut: string | undefined,
  ref: string | undefined,
])[] = [
  ['the branch that is checked out', {}, 'refs/heads/main', 'main'],
  ['none in a checkout of no branch', {}, undefined, undefined],
  ['the branch of a GitHub job', { GITHUB_SHA: here, GITHUB_REF: 'refs/heads/main' }, undefined, 'main'],
  [
    'the merge of a pull request',
    { GITHUB_SHA: here, GITHUB_REF: 'refs/pull/7/merge' },
    undefined,
    'refs/pull/7/merge',
  ],
  [
    'not what a GitHub job says of another commit',
    { GITHUB_SHA: elsewhere, GITHUB_REF: 'refs/heads/main' },
    undefined,
    undefined,
  ],
  ['the branch of a GitLab job', { CI_COMMIT_SHA: here, CI_COMMIT_BRANCH: 'main' }, undefined, 'main'],
  [
    'not the source branch of a GitLab merge request',
    { CI_COMMIT_SHA: here, CI_COMMIT_REF_NAME: 'main' },
    undefined,
    undefined,
  ],
  ['a branch with slashes', {}, 'refs/heads/release/2', 'release/2'],
];
for (const [name, env, checkedOut, ref] of refs) {
  test(`refOf() gives ${name}`, () => assert.equal(refOf(env, here, checkedOut), ref));
}

const options = { environment: { PATH: process.env['PATH'] }, signal: new AbortController().signal };

test('checkoutOf() tells what is modified, untracked, ignored or outside, of files and of folders', async (t) => {
  const top = tempDir(t);
  writeTree(top, {
    'Buildfile.ts': '1',
    'p/a.patch': 'a',
    'p/b.patch': 'b',
    'src/x': 'x',
    'clean/y': 'y',
    'odd [*]/z': 'z',
  });
  const commit = checkIn(top);
  writeTree(top, { 'p/a.patch': 'other', 'src/new': 'n', '.gitignore': 'out/\n', 'out/made': 'm', 'odd name': '' });
  const outside = tempDir(t);
  const at = (name: string): string => join(top, name);
  const asked = [
    'Buildfile.ts',
    'p/a.patch',
    'p/b.patch',
    'p',
    'src',
    'src/x',
    'src/new',
    'clean',
    'odd [*]',
    'out',
    'out/made',
    'odd name',
    '.',
  ];
  const found = await checkoutOf(top, [...asked.map(at), outside, at('gone')], options);
  assert.ok('commit' in found);
  assert.deepEqual([found.commit, found.ref], [commit, 'refs/heads/main']);
  assert.deepEqual(Object.fromEntries([...found.unclean].map(([path, why]) => [path.replace(`${top}/`, ''), why])), {
    'p/a.patch': 'modified',
    p: 'modified',
    src: 'untracked',
    'src/new': 'untracked',
    out: 'ignored by git',
    'out/made': 'ignored by git',
    'odd name': 'untracked',
    [top]: 'modified',
    [outside]: `outside of the checkout ${top}`,
    gone: `outside of the checkout ${top}`,
  });
});

test('checkoutOf() sees what is staged, and a checkout of no branch', async (t) => {
  const top = tempDir(t);
  writeTree(top, { a: '1', 'sub/Buildfile.ts': '1' });
  checkIn(top);
  execFileSync('git', ['checkout', '--quiet', '--detach'], { cwd: top });
  writeTree(top, { a: '2' });
  execFileSync('git', ['add', 'a'], { cwd: top });
  const found = await checkoutOf(join(top, 'sub'), [join(top, 'a'), join(top, 'sub/Buildfile.ts')], options);
  assert.ok('commit' in found);
  assert.deepEqual([found.ref, [...found.unclean]], [undefined, [[join(top, 'a'), 'modified']]]);
});

test('checkoutOf() says why nothing is known', async (t) => {
  const top = tempDir(t);
  writeTree(top, { a: '1' });
  const unknown = async (): Promise<string> => {
    const found = await checkoutOf(top, [join(top, 'a')], options);
    return 'unknown' in found ? found.unknown : assert.fail('it is known');
  };
  assert.match(await unknown(), /not a git repository/);
  execFileSync('git', ['init', '--quiet'], { cwd: top });
  assert.notEqual(await unknown(), '');
  rmSync(join(top, '.git'), { recursive: true });
  const without = await checkoutOf(top, [], { ...options, environment: { PATH: top } });
  assert.deepEqual(without, { unknown: 'git is not installed' });
});
