/** The example workflows of docs/ci, held against the schemas of their services and against vbuild's own command line. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCommandLine } from '../src/commands/options.ts';
import { tempDir, type WithCleanUp, writeTree } from './support/temp.ts';
import { checkout, runProgram } from './support/vbuild.ts';

const textOf = (file: string): string => readFileSync(join(checkout, file), 'utf8');

/** By GitHub's own parser. @returns What it has against a workflow. */
async function githubProblems(content: string): Promise<readonly string[]> {
  // It is written for bundlers, which load JSON without being told that it is JSON.
  const json = { importAttributes: { type: 'json' } };
  const hooks = registerHooks({
    load: (url, context, next) => next(url, { ...context, ...(url.endsWith('.json') && json) }),
  });
  const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import('@actions/workflow-parser');
  hooks.deregister();
  const { context, value } = parseWorkflow({ name: 'workflow.yml', content }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(String);
}

/** By GitLab's own JSON schema, and by what its pipelines want besides. @returns What is wrong with a pipeline. */
async function gitlabProblems(t: WithCleanUp, content: string): Promise<readonly string[]> {
  const folder = tempDir(t, 'gitlab');
  writeTree(folder, { '.gitlab-ci.yml': content });
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  execFileSync('git', ['remote', 'add', 'origin', 'https://gitlab.example.org/group/project.git'], { cwd: folder });
  const validator = join(checkout, 'node_modules/gitlab-ci-local/dist/index.js');
  const argv = [process.execPath, validator, '--list-all', '--json-schema-validation'];
  const { exitStatus, stdout, stderr } = await runProgram(argv, { cwd: folder, home: join(folder, 'home') });
  if (exitStatus !== 0) return [`${stdout}${stderr}`];
  assert.match(stderr, /^json schema validated/m);
  return [];
}

const examples: readonly {
  readonly file: string;
  readonly problems: (t: WithCleanUp, content: string) => Promise<readonly string[]>;
  /** Each makes it invalid: the validator must say so. */
  readonly mistakes: readonly (readonly [from: string, to: string, told: RegExp])[];
}[] = [
  {
    file: 'docs/ci/github.yml',
    problems: (_, content) => githubProblems(content),
    mistakes: [
      ['steps:', 'step:', /Unexpected value 'step'/],
      ['contents: read', 'contents: reed', /Unexpected value 'reed'/],
      ['secrets.VBUILD', 'secret.VBUILD', /Unrecognized named-value: 'secret'/],
      ['needs: build', 'needs: bild', /Job 'publish' depends on unknown job 'bild'/],
    ],
  },
  {
    file: 'docs/ci/gitlab.yml',
    problems: gitlabProblems,
    mistakes: [
      ['expire_in', 'expires', /'expires' property is not expected to be here at build\.artifacts/],
      ['stage: publish', 'stage: publsh', /stage:publsh not found for publish/],
      ['resource_group: vendor-cache', 'resource_group: [a]', /type must be string at publish\.resource_group/],
    ],
  },
];

for (const { file, problems, mistakes } of examples) {
  describe(file, () => {
    test('is valid, and would not be with a mistake in it', async (t) => {
      const content = textOf(file);
      assert.deepEqual(await problems(t, content), []);
      for (const [from, to, told] of mistakes) {
        assert.ok(content.includes(from), from);
        assert.match((await problems(t, content.replace(from, to))).join('\n'), told);
      }
    });

    test('every command of vbuild in it is one that vbuild takes, and artifacts are built before they are pushed', () => {
      const lines = [...textOf(file).matchAll(/npx vbuild (.*)$/gm)].map(([, args = '']) => args.trim());
      for (const line of lines) assert.doesNotThrow(() => parseCommandLine(line.split(' ')), line);
      assert.deepEqual(lines, ['--frozen --install-tools', 'cache push', 'cache prove']);
    });

    test('the secret key is in reach of nothing but the command that signs', () => {
      const [before = '', ...after] = textOf(file).split('VBUILD_SIGNING_KEY');
      assert.ok(after.length > 0);
      assert.ok(before.includes('--frozen --install-tools') && before.includes('publish:'));
    });
  });
}
