/** What a person sees of a run in a real terminal: the region moves, bears resizing and Ctrl-C, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { terminal } from '../support/tmux.ts';
import { vbuildBin, type Workspace, workspace } from '../support/vbuild.ts';
import type { WithCleanUp } from '../support/temp.ts';

/** Two packages whose steps talk until a file is there. */
const talkers = (t: WithCleanUp): Workspace =>
  workspace(t, {
    'src/x': '',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
const talk = (name: string) => definePackage(name, {
  version: '1', source: directory('src'),
  recipe: steps([
    { group: 'build', run: 'n=0; until test -e "' + import.meta.dirname + '/end"; do n=$((n+1)); echo "' + name + ' says line $n of very many words that are long enough to be cut"; sleep 0.1; done' },
    { group: 'install', run: 'install -D x @stage@@prefix@/share/' + name },
  ]),
});
const [one, two] = [talk('one'), talk('two')];
export default defineBuild({ packages: [one, two], defaults: [one, two] });
`,
  });

const region = /^\d+ of \d+ done|^ {2}(one|two)@1 +compile/m;

test('in a terminal running packages are shown below, through resizing, and nothing of it is left at the end', async (t) => {
  const site = talkers(t);
  const noted = join(site.path, 'id');
  const screen = await terminal(t, `sh -c 'echo $$ >"${noted}"; exec "${vbuildBin}" -j2 --sandbox=off'`, {
    cwd: site.path,
    env: { HOME: site.home },
    columns: 110,
    rows: 20,
  });
  const shown = await screen.until(
    /one@1 +compile: build \d:\d\d +one says line \d+[\s\S]*two@1 +compile: build|two@1 +compile: build[\s\S]*one@1 +compile: build \d:\d\d +one says line \d+/,
  );
  assert.ok(
    shown.some((row) => /^0 of 2 done, \d:\d\d, .*2 running/.test(row)),
    shown.join('\n'),
  );
  for (const [columns, rows] of [
    [60, 20],
    [34, 12],
    [120, 24],
  ] as const) {
    // tmux wraps at once, and tells the program of it a little later: what is drawn in between is drawn for the width before.
    const id = Number(readFileSync(noted, 'utf8'));
    process.kill(id, 'SIGSTOP');
    await screen.resize(columns, rows);
    process.kill(id, 'SIGCONT');
    await screen.until(/^0 of 2 done[\s\S]*two@1 +compile: build/m);
    const now = await screen.until(/one@1 +compile: build/);
    assert.equal(now.filter((row) => row.startsWith('0 of 2 done')).length, 1, now.join('\n'));
  }
  writeFileSync(join(site.path, 'end'), '');
  const last = await screen.until(/one and two ready in vendor/, 'history');
  assert.doesNotMatch(last.join('\n'), region);
  assert.ok(last.some((row) => /one@1 +built in /.test(row)));
});

test('Ctrl-C takes the region away before the last words', async (t) => {
  const site = talkers(t);
  const screen = await terminal(t, 'bash --norc --noprofile', { cwd: site.path, env: { HOME: site.home } });
  await screen.press(`'${vbuildBin}' -j2 --sandbox=off; echo "status $?"`, 'Enter');
  await screen.until(/one@1 +compile: build/);
  await screen.press('C-c');
  const last = await screen.until(/^status 130$/m);
  assert.doesNotMatch(last.join('\n'), region);
});

test('a dumb terminal gets a line for each event, without colours where NO_COLOR is set', async (t) => {
  const site = talkers(t);
  writeFileSync(join(site.path, 'end'), '');
  const command = `TERM=dumb NO_COLOR=1 '${vbuildBin}' --sandbox=off`;
  const screen = await terminal(t, command, { cwd: site.path, env: { HOME: site.home } });
  const rows = await screen.until(/one and two ready in vendor/);
  assert.doesNotMatch(rows.join('\n'), region);
});
