/** The example workflows of docs/ci, held against the schemas of GitHub and GitLab and against vbuild's own command line. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseCommandLine } from '../src/commands/options.ts';
import { tempDir, writeTree } from './support/temp.ts';
import { checkout } from './support/vbuild.ts';

const [github, gitlab] = ['docs/ci/github.yml', 'docs/ci/gitlab.yml'];
const packageAt = (name: string): string => join(checkout, 'node_modules', name);
const skipWithout = (name: string): string | false =>
  existsSync(packageAt(name)) ? false : `no ${name} here: npm install --save-dev ${name}`;

/** What GitHub's own parser of workflows finds wrong. */
async function githubProblems(text: string): Promise<string[]> {
  const { NoOperationTraceWriter, parseWorkflow } = (await import(
    `${packageAt('@actions/workflow-parser')}/dist/index.js`
  )) as {
    NoOperationTraceWriter: new () => object;
    parseWorkflow: (file: object, trace: object) => { context: { errors: { getErrors: () => { message: string }[] } } };
  };
  const { context } = parseWorkflow({ name: 'github.yml', content: text }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

test('the workflow for GitHub is one by its schema', { skip: skipWithout('@actions/workflow-parser') }, async () => {
  const text = readFileSync(join(checkout, github), 'utf8');
  assert.deepEqual(await githubProblems(text), []);
  assert.notDeepEqual(await githubProblems(text.replace('runs-on:', 'runs_on:')), []);
  assert.notDeepEqual(await githubProblems(text.replace('${{ secrets.', '${{ secret.')), []);
});

/** Whether the file passes the JSON schema that GitLab publishes for its pipelines. */
function passesGitlab(t: TestContext, change: (text: string) => string): boolean {
  const folder = tempDir(t);
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  copyFileSync(join(checkout, gitlab), join(folder, 'ci.yml'));
  writeTree(folder, { 'ci.yml': change(readFileSync(join(checkout, gitlab), 'utf8')) });
  const program = join(packageAt('gitlab-ci-local'), 'dist/index.js');
  const { status, stderr } = spawnSync(process.execPath, [program, '--file', 'ci.yml', '--list-json'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
  });
  // Whatever else it has to say of a folder without a remote.
  assert.match(stderr, /json schema validated|Invalid \.gitlab-ci\.yml/);
  return status === 0;
}

test('the pipeline for GitLab is one by its schema', { skip: skipWithout('gitlab-ci-local') }, (t) => {
  assert.ok(passesGitlab(t, (text) => text));
  assert.ok(!passesGitlab(t, (text) => text.replace('resource_group:', 'resource_groups:')));
});

for (const file of [github, gitlab]) {
  test(`every command of vbuild in ${file} is one that it takes, and the key is in sight of the push alone`, () => {
    const text = readFileSync(join(checkout, file), 'utf8');
    const lines = [...text.matchAll(/npx vbuild (.*)$/gm)].map(([, args = '']) => args.trim());
    assert.ok(lines.length >= 3);
    for (const line of lines) assert.doesNotThrow(() => parseCommandLine(line.split(' ')), line);
    assert.ok(lines.includes('cache push') && lines.includes('cache prove'));
    assert.ok(lines.indexOf('--frozen --install-tools') < lines.indexOf('cache push'));
  });
}
