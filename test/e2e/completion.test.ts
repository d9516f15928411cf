/** What Tab gives, in the real shells; none of them starts vbuild for it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { completionFor } from '../../src/commands/completion.ts';
import { commandTable } from '../../src/commands/command-table.ts';
import { type Project, project } from '../support/project.ts';
import { terminal } from '../support/tmux.ts';
import { tempDir, type WithCleanUp, writeTree } from '../support/temp.ts';

/** The completions, and a project whose packages only its lock file and notes of the last run tell of. */
function prepared(t: WithCleanUp): { readonly folder: string; readonly site: Project } {
  const folder = tempDir(t, 'completion');
  writeTree(
    folder,
    Object.fromEntries((['bash', 'zsh', 'fish'] as const).map((shell) => [shell, completionFor(shell)])),
  );
  const site = project(t);
  const locked = { format: 1, sources: { 'leaf@1.0': {}, 'lone@1.0': {} }, tools: {} };
  site.write({
    'Buildfile.lock': `${JSON.stringify(locked, undefined, 2).replaceAll('{}', '{\n  }')}\n`,
    'other/.vbuild/Buildfile.x/packages': 'pil\tpackage 9.4.0\nzlib\tpackage 1.2\n',
  });
  return { folder, site };
}

const lines: readonly (readonly [typed: readonly string[], some: readonly string[], none: readonly string[]])[] = [
  [['st'], ['status'], ['leaf', 'why']],
  [['le'], ['leaf'], ['lone']],
  [['why', 'l'], ['leaf', 'lone'], ['log']],
  [['-C', 'other', '-f', 'Buildfile.x.ts', 'build', ''], ['pil', 'zlib'], ['leaf']],
  [['-f', 'other/Buildfile.x.ts', 'build', 'p'], ['pil'], ['plan', 'leaf']],
  [['patch', 'ch'], ['check'], ['edit']],
  [['patch', 'edit', ''], ['leaf'], ['apply']],
  [['log', 'leaf', 'conf'], ['configure'], ['leaf']],
  [['shell', 'leaf', 'fe'], ['fetch'], ['leaf']],
  [['leaf', '--fr'], ['--from', '--frozen'], ['--follow']],
  [['leaf', '--from', 'in'], ['install'], ['leaf', 'init']],
  [['log', 'leaf', '--fo'], ['--follow'], ['--frozen']],
  [['help', 'do'], ['doctor'], ['leaf']],
  [['completion', ''], ['bash', 'fish', 'zsh'], ['leaf']],
  [['list', 'l'], [], ['leaf']],
];

for (const shell of ['bash', 'zsh', 'dash', 'fish'] as const) {
  test(`${shell} completes commands, their options and values, and packages`, (t) => {
    const { folder, site } = prepared(t);
    const script = lines
      .map(([typed], at) => {
        const words = typed.map((word) => `'${word}'`).join(' ');
        const asked =
          shell === 'bash'
            ? `COMP_WORDS=(vbuild ${words}); COMP_CWORD=${typed.length}; _vbuild; printf '%s\\n' "\${COMPREPLY[@]}"`
            : shell === 'fish'
              ? `complete -C "vbuild ${typed.join(' ')}" | string replace -r '\\t.*' ''`
              : `_vbuild_answers ${words} | sed 's/\t.*//' | grep '^${typed.at(-1)}'`;
        return `echo '= ${at}'\n${asked}`;
      })
      .join('\n');
    const text = completionFor(shell === 'dash' ? 'bash' : shell);
    // Of bash's program dash can take the part that is POSIX.
    const own = shell === 'dash' ? text.slice(0, text.indexOf('_vbuild() {')) : text;
    writeTree(folder, { sourced: own });
    const head = shell === 'zsh' ? 'compdef() {}; emulate sh\n' : '';
    const program = shell === 'bash' ? ['bash', '--norc'] : shell === 'zsh' ? ['zsh', '-f'] : [shell];
    const [name = '', ...args] = program;
    const out = execFileSync(name, [...args, '-c', `${head}. ${join(folder, 'sourced')}\n${script}\ntrue`], {
      cwd: site.path,
      env: { PATH: '/usr/bin:/bin', HOME: site.home, LC_ALL: 'C.UTF-8' },
      encoding: 'utf8',
    });
    for (const [at, [typed, some, none]] of lines.entries()) {
      const words = (out.split(`= ${at}\n`)[1] ?? '').split(/\n= \d+\n/)[0]?.split('\n') ?? [];
      for (const word of some) assert.ok(words.includes(word), `${typed.join(' ')}: no ${word} in ${words.join(' ')}`);
      for (const word of none) assert.ok(!words.includes(word), `${typed.join(' ')}: ${word} in ${words.join(' ')}`);
    }
  });
}

test('every command and option is in the completions, and shellcheck finds nothing in what is POSIX of them', (t) => {
  const { folder } = prepared(t);
  for (const shell of ['bash', 'zsh', 'fish'] as const)
    for (const { name } of commandTable)
      for (const word of name.split(' ')) assert.ok(completionFor(shell).includes(`${word}\t`), `${shell}: ${word}`);
  const text = completionFor('bash');
  writeTree(folder, { 'core.sh': text.slice(0, text.indexOf('_vbuild() {')) });
  execFileSync('shellcheck', ['-s', 'sh', join(folder, 'core.sh')], { stdio: 'pipe' });
  execFileSync('shellcheck', ['-s', 'bash', join(folder, 'bash')], { stdio: 'pipe' });
});

const starts = { bash: 'bash --norc --noprofile', zsh: 'zsh -f', fish: 'fish --no-config' } as const;

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`typed into ${shell}, a command and a package are completed by Tab`, async (t) => {
    const { folder, site } = prepared(t);
    const env = { HOME: site.home, PS1: 'ready> ', TERM: 'xterm' };
    const screen = await terminal(t, starts[shell], { cwd: site.path, env });
    const before = shell === 'zsh' ? 'autoload -Uz compinit; compinit -D -u; ' : '';
    await screen.press(`${before}. ${join(folder, shell)}`, 'Enter');
    await screen.press('echo sou""rced', 'Enter');
    await screen.until(/^sourced$/m);
    await screen.press('vbuild stat', 'Tab', 'lea', 'Tab');
    await screen.until(/vbuild status leaf/);
  });
}
