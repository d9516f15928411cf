/** What a run looks like in the logs of GitHub and GitLab, read by their rules: what folds, what is marked, and that nobody else speaks there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WithCleanUp } from '../support/temp.ts';
import { type Workspace, workspace } from '../support/vbuild.ts';

/** Each line would steer one of the two servers. */
const hostile = [
  '::add-mask::vbuild',
  '  ::error file=x::forged',
  '::endgroup::',
  'say ##[group]forged',
  '\u001b[0Ksection_start:1:forged\r\u001b[0Kforged',
  '\u001b[0Ksection_end:1:forged\r\u001b[0K',
];

/** Two packages that print the same hostile text; one of them fails as a compiler does. */
function project(t: WithCleanUp): Workspace {
  return workspace(t, {
    'src/said': `${hostile.join('\n')}\n`,
    'src/x.c': '',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
const talk = (name: string, last: string) => definePackage(name, {
  version: '1', source: directory('src'),
  recipe: steps([
    { group: 'build', run: 'echo ' + name + ' begins; cat said; ' + last + '; echo ' + name + ' ends' },
    { group: 'install', run: 'install -D x.c @stage@@prefix@/share/' + name },
  ]),
});
const [good, bad] = [talk('good', ':'), talk('bad', 'echo "lib/x.c:7:5: error: 100% wrong, alas"; cat said; exit 3')];
export default defineBuild({ packages: [good, bad], defaults: [good, bad] });
`,
  });
}

const args = ['-j2', '-k', '--sandbox=off'];

interface GithubCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
  /** The line that it is on. */
  readonly at: number;
}

const unescaped = (text: string): string => text.replace(/%(0D|0A|3A|2C|25)/g, (code) => decodeURIComponent(code));

/** As the runner takes them from a log: in the one form at the beginning of a line, in the other anywhere in it. */
function githubCommands(log: string): GithubCommand[] {
  return log.split(/\r\n|\r|\n/).flatMap((line, at) => {
    const [, info = '', data = ''] = /^\s*::(.+?)::(.*)$/s.exec(line) ?? /##\[(.*?)\](.*)$/s.exec(line) ?? [];
    const [, name, list = ''] = /^([\w-]+)(?: (.*))?$/s.exec(info) ?? [];
    if (name === undefined) return [];
    const pairs = list.split(',').flatMap((pair) => (pair === '' ? [] : [pair.split('=')]));
    const properties = Object.fromEntries(pairs.map(([key = '', value = '']) => [key, unescaped(value)]));
    return [{ name, properties, data: unescaped(data), at }];
  });
}

/** The text below each title. */
function githubGroups(log: string): Record<string, string> {
  const commands = githubCommands(log).filter(({ name }) => name.endsWith('group'));
  const lines = log.split('\n');
  const groups: Record<string, string> = {};
  for (let n = 0; n < commands.length; n += 2) {
    const [start, end] = [commands[n], commands[n + 1]];
    assert.deepEqual([start?.name, end?.name], ['group', 'endgroup'], log);
    groups[start?.data ?? ''] = lines.slice((start?.at ?? 0) + 1, end?.at).join('\n');
  }
  return groups;
}

test('in GitHub Actions logs of packages fold, problems are marked, and nothing in a log is a command', async (t) => {
  const site = project(t);
  const env = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: site.path };
  const { exitStatus, stderr } = await site.run([...args, '--verbose'], { env });
  assert.equal(exitStatus, 1);
  const groups = githubGroups(stderr);
  assert.deepEqual(Object.keys(groups).sort(), ['log of bad@1', 'log of good@1']);
  const good = groups['log of good@1'] ?? '';
  assert.match(good, /^good begins$[^]*^\\x3a:add-mask::vbuild$[^]*^say #\\x23\[group\]forged$[^]*^good ends$/m);
  assert.doesNotMatch(good, /bad/);
  const marks = githubCommands(stderr).filter(({ name }) => !name.endsWith('group'));
  assert.deepEqual(
    marks.map(({ at: _at, ...mark }) => mark),
    [
      {
        name: 'error',
        properties: { title: 'bad@1', file: 'bad@1/lib/x.c', line: '7' },
        data: 'A step failed: lib/x.c:7:5: error: 100% wrong, alas',
      },
    ],
  );

  // What went well is of no interest, unless one asks for it; and who asked for silence gets the mark alone.
  assert.deepEqual(Object.keys(githubGroups((await site.run(args, { env })).stderr)), ['log of bad@1']);
  const quiet = await site.run([...args, '--quiet'], { env });
  assert.deepEqual(
    githubCommands(quiet.stderr).map(({ name }) => name),
    ['error'],
  );
  const log = await site.run(['log', 'bad'], { env });
  assert.match(log.stdout, /^bad begins$/m);
  assert.deepEqual(githubCommands(log.stdout), []);

  const buildfile = site.read('Buildfile.ts');
  site.write({ 'Buildfile.ts': buildfile.replace("version: '1'", "version: ''") });
  const [mark] = githubCommands((await site.run(['list'], { env })).stderr);
  assert.deepEqual([mark?.name, mark?.properties['file'], mark?.properties['line']], ['error', 'Buildfile.ts', '2']);
});

/** A marker of a section, as GitLab takes it from a log. */
const sectionMark = /section_(start|end):(\d+):([\w.-]+)(?:\[[\w=,]+\])?\r/g;

test('in GitLab logs of packages fold, and nothing in a log is a section', async (t) => {
  const site = project(t);
  const env = { CI: 'true', GITLAB_CI: 'true' };
  const { exitStatus, stderr } = await site.run([...args, '--verbose'], { env });
  assert.equal(exitStatus, 1);
  const marks = [...stderr.matchAll(sectionMark)].map(([, what, , name]) => [what, name] as const);
  assert.deepEqual(
    marks.map(([what]) => what),
    ['start', 'end', 'start', 'end'],
  );
  const [first, second] = [marks[0]?.[1], marks[2]?.[1]];
  assert.deepEqual(
    marks.map(([, name]) => name),
    [first, first, second, second],
  );
  assert.notEqual(first, second);
  const bad = stderr.split('\r\u001b[0Klog of bad@1\n')[1]?.split('\u001b[0Ksection_end')[0] ?? '';
  assert.match(bad, /^bad begins$[^]*^::endgroup::$[^]*^\\x1b\[0Ksection_end:1:forged\\x0d\\x1b\[0K$/m);
  assert.doesNotMatch(stderr, /^::error/m);
});

test('elsewhere a log has no more than its lines', async (t) => {
  const { stderr } = await project(t).run([...args, '--verbose'], { env: { CI: 'true' } });
  assert.deepEqual([...stderr.matchAll(sectionMark)], []);
  assert.doesNotMatch(stderr, /^::group|log of |good begins$/m);
});
