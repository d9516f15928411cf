/** The life of a package's patches with the real command and real git: opened, changed, saved, carried over; for every kind of source alike. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { debianMirror } from '../support/debian-mirror.ts';
import { commitAll, inGit, makeRepository } from '../support/git-server.ts';
import { removeTree, type Tree, type WithCleanUp } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';
import { checkout, type Ended, runProgram, type Workspace, workspace } from '../support/vbuild.ts';

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

const content: Tree = {
  'a.txt': numbers(1, 40),
  'sub/b.txt': numbers(100, 140),
  'run.sh': { text: 'x\n', mode: 0o755 },
};

const one = `Description: First
 of two
Author: J\u00fcrgen <j@example.org>
--- a/a.txt
+++ b/a.txt
@@ -4,3 +4,3 @@
 4
-5
+five
 6
`;
const two = `From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?Ond=C5=99ej?= <o@example.org>
Date: Tue, 3 Jun 2025 10:00:00 +0200
Subject: [PATCH 2/2] Change b

Why.
---
 sub/b.txt | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/sub/b.txt b/sub/b.txt
index 1234567..89abcde 100644
--- a/sub/b.txt
+++ b/sub/b.txt
@@ -10,3 +10,3 @@
 109
-110
+b110
 111
-- 
2.39.5

`;
const seriesFile = '# ours\none.patch\n\n# from a mail\ntwo.patch -p1 # keep\n';
const patches: Tree = { 'patches/x/series': seriesFile, 'patches/x/one.patch': one, 'patches/x/two.patch': two };

const buildfile = (source: string, spec: string | undefined = "'patches/x'"): string =>
  `import { debian, defineBuild, definePackage, directory, git, steps, tarball } from 'vbuild';
const x = definePackage('x', { version: '1.0', source: ${source}, ${spec === 'none' ? '' : `patches: ${spec}, `}recipe: steps([{ group: 'build', run: ['true'] }]) });
export default defineBuild({ packages: [x] });
`;

interface Lab extends Workspace {
  /** Runs vbuild and insists on this status. */
  vbuild(args: readonly string[], status?: number): Promise<Ended>;
  /** Opens the patches. @returns the repository's folder */
  open(): Promise<string>;
  /** Of a file in the patch folder. */
  patch(name: string, encoding?: 'utf8' | 'latin1'): string;
  /** Replaces what upstream offers. */
  upstream(tree: Tree): void;
}

function lab(
  t: WithCleanUp,
  { tree = content, spec = "'patches/x'", more = patches }: { tree?: Tree; spec?: string; more?: Tree } = {},
): Lab {
  const site = workspace(t, { 'Buildfile.ts': buildfile("tarball('upstream-1.0.tar.gz')", spec), ...more });
  const upstream = (now: Tree): void => {
    removeTree(join(site.path, 'upstream-1.0.tar.gz.tree'));
    upstreamTarball(site.path, now);
  };
  upstream(tree);
  return { ...withHelpers(site), upstream };
}

function withHelpers(site: Workspace, env: Readonly<Record<string, string>> = {}): Omit<Lab, 'upstream'> {
  const vbuild: Lab['vbuild'] = async (args, status = 0) => {
    const ended = await site.run(args, { env });
    assert.equal(ended.exitStatus, status, `vbuild ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
    return ended;
  };
  return {
    ...site,
    vbuild,
    open: async () => (await vbuild(['patch', 'edit', 'x'])).stdout.trim(),
    patch: (name, encoding = 'utf8') => readFileSync(join(site.path, 'patches/x', name), encoding),
  };
}

/** Replaces text of a file in a repository. */
function change(repository: string, file: string, from: string, to: string): void {
  const path = join(repository, file);
  const text = readFileSync(path, 'latin1');
  assert.ok(text.includes(from), `${file} should hold ${JSON.stringify(from)}`);
  writeFileSync(path, text.replace(from, to), 'latin1');
}

const subjects = (repository: string): string[] => inGit(repository, 'log', '--reverse', '--format=%s').split('\n');

test('patch edit opens one commit per patch, with author, date and text of its header, and prints only the folder', async (t) => {
  const { open } = lab(t);
  const folder = await open();
  assert.deepEqual(subjects(folder), ['x@1.0, before the patches of this package', 'Description: First', 'Change b']);
  assert.equal(inGit(folder, 'log', '-1', '--format=%an <%ae> %at'), 'Ond\u0159ej <o@example.org> 1748937600');
  assert.equal(inGit(folder, 'status', '--porcelain'), '');
  assert.equal(readFileSync(join(folder, 'sub/b.txt'), 'utf8').includes('b110'), true);
  assert.equal(statSync(join(folder, 'run.sh')).mode & 0o111, 0o111);
});

test('patch save without a change writes nothing', async (t) => {
  const { open, vbuild, path } = lab(t);
  await open();
  const before = statSync(join(path, 'patches/x/two.patch'), { bigint: true }).ino;
  const { stdout } = await vbuild(['patch', 'save', 'x']);
  assert.equal(stdout, 'unchanged  patches/x/one.patch\nunchanged  patches/x/two.patch\n');
  assert.equal(statSync(join(path, 'patches/x/two.patch'), { bigint: true }).ino, before);
});

test('patch save writes a changed commit with its header, and leaves the others to the byte', async (t) => {
  const { open, vbuild, patch } = lab(t);
  const folder = await open();
  change(folder, 'sub/b.txt', '120\n', 'b120\n');
  inGit(folder, 'commit', '--quiet', '--all', '--amend', '--no-edit');
  await vbuild(['patch', 'save', 'x']);
  assert.equal(patch('one.patch'), one);
  assert.equal(patch('series'), seriesFile);
  const [header = '', diff = ''] = patch('two.patch').split('\ndiff --git ');
  assert.equal(
    header,
    two
      .split('\ndiff --git ')[0]
      ?.replace('b.txt | 2 +-', 'b.txt | 4 ++--')
      .replace('1 insertion(+), 1 deletion(-)', '2 insertions(+), 2 deletions(-)'),
  );
  assert.match(diff, /^a\/sub\/b\.txt b\/sub\/b\.txt\n--- a\/sub\/b\.txt\n\+\+\+ b\/sub\/b\.txt\n@@ -8,7 /);
  assert.match(diff, /\n-120\n\+b120\n/);
  await vbuild(['patch', 'check', 'x']);
});

test('patch save twice gives the same bytes: what was new is known by its name', async (t) => {
  const { open, vbuild, patch } = lab(t);
  const folder = await open();
  change(folder, 'a.txt', '30\n', 'thirty\n');
  writeFileSync(join(folder, 'new file'), 'n\n');
  inGit(folder, 'add', '--all');
  inGit(folder, 'commit', '--quiet', '--message=Add: thirty, and "more"!\n\nBecause.');
  const { stdout } = await vbuild(['patch', 'save', 'x']);
  assert.match(stdout, /^new {8}patches\/x\/add-thirty-and-more\.patch$/m);
  assert.equal(patch('series'), `${seriesFile}add-thirty-and-more.patch\n`);
  const text = patch('add-thirty-and-more.patch');
  assert.ok(
    text.startsWith(
      'From: A <a@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: Add: thirty, and "more"!\n\nBecause.\n---\n a.txt    | 2 +-\n',
    ),
    text,
  );
  assert.doesNotMatch(text, /^index |[0-9a-f]{40}/m);
  assert.match((await vbuild(['patch', 'save', 'x'])).stdout, /^unchanged {2}patches\/x\/add-thirty/m);
  assert.equal(patch('add-thirty-and-more.patch'), text);
  inGit(
    folder,
    'commit',
    '--quiet',
    '--amend',
    '--allow-empty',
    '--message=Another text\n\nVbuild-Patch: patches/x/add-thirty-and-more.patch',
  );
  await vbuild(['patch', 'save', 'x']);
  assert.equal(
    patch('add-thirty-and-more.patch'),
    text.replace(/Subject: .*\n\nBecause\.\n/, 'Subject: Another text\n\n'),
  );
});

test('patch save reflects order and dropped commits in the series, comments and options included', async (t) => {
  const { open, vbuild, patch, path } = lab(t);
  const folder = await open();
  inGit(folder, '-c', `sequence.editor=sed -i -e '1{h;d}' -e 2G`, 'rebase', '--quiet', '--interactive', 'HEAD~2');
  assert.match(subjects(folder)[1] ?? '', /Change b/);
  await vbuild(['patch', 'save', 'x']);
  assert.equal(patch('series'), '\n# from a mail\ntwo.patch -p1 # keep\n# ours\none.patch\n');
  assert.deepEqual([patch('one.patch'), patch('two.patch')], [one, two]);
  inGit(folder, 'reset', '--quiet', '--hard', 'HEAD~1');
  const { stdout } = await vbuild(['patch', 'save', 'x']);
  assert.match(stdout, /^dropped {4}patches\/x\/one\.patch/m);
  assert.equal(patch('series'), '\n# from a mail\ntwo.patch -p1 # keep\n');
  assert.ok(existsSync(join(path, 'patches/x/one.patch')));
  assert.match((await vbuild(['patch', 'check', 'x'])).stdout, /1 patch applies/);
});

test('a folder without a series file gets one only when the names no longer tell the order', async (t) => {
  const { open, vbuild, path } = lab(t, { more: { 'patches/x/0001-one.patch': one, 'patches/x/0002-two.patch': two } });
  const folder = await open();
  change(folder, 'a.txt', '30\n', 'thirty\n');
  inGit(folder, 'commit', '--quiet', '--all', '--message=Thirty');
  await vbuild(['patch', 'save', 'x']);
  assert.ok(existsSync(join(path, 'patches/x/0003-thirty.patch')));
  assert.equal(existsSync(join(path, 'patches/x/series')), false);
  inGit(folder, 'rebase', '--quiet', '--onto', 'HEAD~3', 'HEAD~2');
  await vbuild(['patch', 'save', 'x']);
  assert.equal(readFileSync(join(path, 'patches/x/series'), 'utf8'), '0002-two.patch\n0003-thirty.patch\n');
});

test('a package without patches gets a folder of them, and is told what the Buildfile must say', async (t) => {
  const { open, vbuild, write, path } = lab(t, { spec: 'none', more: {} });
  const folder = await open();
  change(folder, 'a.txt', '30\n', 'thirty\n');
  inGit(folder, 'commit', '--quiet', '--all', '--message=Thirty');
  const { stdout, stderr } = await vbuild(['patch', 'save', 'x']);
  assert.equal(stdout, 'new        patches/x/0001-thirty.patch\n');
  assert.match(stderr, /patches: 'patches\/x',/);
  assert.ok(existsSync(join(path, 'patches/x/0001-thirty.patch')));
  write({ 'Buildfile.ts': buildfile("tarball('upstream-1.0.tar.gz')") });
  assert.match((await vbuild(['patch', 'check'])).stdout, /^x@1\.0 {2}1 patch applies\n/);
  assert.equal((await vbuild(['patch', 'save', 'x'])).stdout, 'unchanged  patches/x/0001-thirty.patch\n');
});

test('patches of a list are written in place; a list is never made longer', async (t) => {
  const { open, vbuild, patch } = lab(t, {
    spec: "['patches/x/one.patch', { file: 'patches/x/two.patch', strip: 1 }]",
  });
  const folder = await open();
  change(folder, 'sub/b.txt', 'b110\n', 'b-110\n');
  inGit(folder, 'commit', '--quiet', '--all', '--amend', '--no-edit');
  await vbuild(['patch', 'save', 'x']);
  assert.match(patch('two.patch'), /^\+b-110$/m);
  change(folder, 'a.txt', '30\n', 'thirty\n');
  inGit(folder, 'commit', '--quiet', '--all', '--message=Thirty');
  assert.match((await vbuild(['patch', 'save', 'x'], 2)).stderr, /list in the Buildfile/);
});

test('bytes, exec bits, symlinks, renames, empty files and strip levels come back as they went', async (t) => {
  const tree: Tree = { ...content, 'latin.txt': Buffer.from('caf\xe9\r\n2\r\n3\n', 'latin1') };
  const zero = '--- a.txt\n+++ a.txt\n@@ -4,3 +4,3 @@\n 4\n-5\n+five\n 6\n';
  const { open, vbuild, patch } = lab(t, {
    tree,
    more: { 'patches/x/series': 'zero.patch -p0\n', 'patches/x/zero.patch': zero },
  });
  const folder = await open();
  change(folder, 'a.txt', '8\n', 'eight\n');
  inGit(folder, 'commit', '--quiet', '--all', '--amend', '--no-edit');
  change(folder, 'latin.txt', '\xe9', '\xe8');
  change(folder, 'latin.txt', '3\n', 'no line end');
  writeFileSync(join(folder, 'empty'), '');
  writeFileSync(join(folder, 'two words\t\xe4'), 'x\n');
  symlinkSync('a.txt', join(folder, 'link'));
  inGit(folder, 'mv', 'sub/b.txt', 'sub/moved.txt');
  inGit(folder, 'update-index', '--chmod=-x', 'run.sh');
  inGit(folder, 'add', '--all', '--', ':!run.sh');
  inGit(folder, 'commit', '--quiet', '--message=All sorts');
  inGit(folder, 'checkout', '--quiet', '--', '.');
  await vbuild(['patch', 'save', 'x']);
  assert.match(patch('zero.patch'), /^diff --git a\.txt a\.txt\n--- a\.txt\n/);
  const text = patch('all-sorts.patch', 'latin1');
  for (const part of [
    '-caf\xe9\r\n',
    '+caf\xe8\r\n',
    '\\ No newline at end of file',
    'rename to sub/moved.txt',
    'old mode 100755',
    'new file mode 120000',
  ])
    assert.ok(text.includes(part), part);
  const head = inGit(folder, 'rev-parse', 'HEAD^{tree}');
  removeTree(folder);
  assert.equal(await open(), folder);
  assert.equal(inGit(folder, 'rev-parse', 'HEAD^{tree}'), head);
});

test('a commit that no patch can hold is refused by name, and nothing is written', async (t) => {
  const { open, vbuild, patch } = lab(t);
  const folder = await open();
  change(folder, 'a.txt', 'five\n', 'FIVE\n');
  inGit(folder, 'commit', '--quiet', '--all', '--message=Sound');
  writeFileSync(join(folder, 'image'), Buffer.from([0, 1, 2, 0]));
  inGit(folder, 'add', '--all');
  inGit(folder, 'commit', '--quiet', '--message=Binary');
  const { stderr } = await vbuild(['patch', 'save', 'x'], 1);
  assert.match(stderr, /Commit cannot be written as a patch/);
  assert.match(stderr, /Binary\n/);
  assert.equal(patch('series'), seriesFile);
});

test('unsaved work is never overwritten: edit resumes, and says what stands in the way', async (t) => {
  const { open, vbuild, write, upstream, path } = lab(t);
  const folder = await open();
  change(folder, 'a.txt', 'five\n', 'FIVE\n');
  assert.match((await vbuild(['patch', 'edit', 'x'])).stderr, /open already/);
  assert.match((await vbuild(['patch', 'save', 'x'], 1)).stderr, /not committed/);
  upstream({ ...content, 'c.txt': 'new\n' });
  await vbuild(['update', 'x']);
  assert.match((await vbuild(['patch', 'edit', 'x'], 1)).stderr, /not committed: {2}M a\.txt/);
  inGit(folder, 'commit', '--quiet', '--all', '--message=Kept');
  assert.match((await vbuild(['patch', 'edit', 'x'], 1)).stderr, /commits that are not saved/);
  assert.match((await vbuild(['patch', 'rebase', 'x'], 1)).stderr, /commits that are not saved/);
  assert.match((await vbuild(['patch', 'save', 'x'])).stderr, /vbuild patch rebase x/);
  inGit(folder, 'branch', 'mine');
  assert.match((await vbuild(['patch', 'edit', 'x'], 1)).stderr, /refs\/heads\/mine/);
  inGit(folder, 'branch', '--quiet', '-D', 'mine');
  await vbuild(['patch', 'edit', 'x']);
  assert.ok(existsSync(join(folder, 'c.txt')), 'with everything saved, the tree is opened anew');
  write({ 'patches/x/one.patch': one.replace('five', 'cinq') });
  change(folder, 'a.txt', 'FIVE\n', 'V\n');
  inGit(folder, 'commit', '--quiet', '--all', '--message=V');
  assert.match((await vbuild(['patch', 'save', 'x'], 1)).stderr, /have changed since/);
  assert.equal(readFileSync(join(path, 'patches/x/one.patch'), 'utf8').includes('cinq'), true);
});

test('a save that was cut off is completed by the next command', async (t) => {
  const { open, vbuild, patch } = lab(t);
  const folder = await open();
  const state = readFileSync(join(folder, '.git/vbuild.json'), 'utf8');
  const changed = one.replace('+five', '+FIVE');
  change(folder, 'a.txt', 'five\n', 'FIVE\n');
  inGit(folder, 'commit', '--quiet', '--all', '--fixup=HEAD~1');
  inGit(folder, '-c', 'sequence.editor=true', 'rebase', '--quiet', '--interactive', '--autosquash', 'HEAD~3');
  await vbuild(['patch', 'save', 'x']);
  const after = readFileSync(join(folder, '.git/vbuild.json'), 'utf8');
  const written = patch('one.patch');
  assert.match(written, /^\+FIVE$/m);
  // As a crash behind the journal leaves it: nothing else is done yet.
  writeFileSync(join(folder, '.git/vbuild.json'), state);
  const save = {
    files: [{ path: join(folder, '../../../../patches/x/one.patch'), text: Buffer.from(changed).toString('latin1') }],
    head: inGit(folder, 'rev-parse', 'HEAD'),
    state: after,
  };
  writeFileSync(join(folder, '.git/vbuild-save.json'), JSON.stringify(save));
  await vbuild(['patch', 'edit', 'x'], 1).catch(() => vbuild(['patch', 'check', 'x']));
  assert.equal(patch('one.patch'), changed);
  assert.equal(existsSync(join(folder, '.git/vbuild-save.json')), false);
});

test('patch save and rebase say when nothing is open', async (t) => {
  const { vbuild } = lab(t);
  assert.match((await vbuild(['patch', 'save', 'x'], 2)).stderr, /vbuild patch edit x/);
  assert.match((await vbuild(['patch', 'rebase', 'x', '--continue'], 2)).stderr, /vbuild patch rebase x/);
});

/** What upstream makes of it: lines added in front, one patch taken over, one line changed under the other. */
const later: Tree = {
  ...content,
  'a.txt': `${numbers(1, 3)}new\n4\nfunf\n${numbers(6, 40)}`,
  'sub/b.txt': `top\n${numbers(100, 109)}b110\n${numbers(111, 140)}`,
};

interface Upstream {
  readonly source: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly offer: (tree: Tree) => void;
  /** What must be run for the new content to be the pinned one. */
  readonly pin: readonly string[];
  /** What must be forgotten for the new content to be seen; relative to the site. */
  readonly forget?: string;
}

const kinds: Readonly<Record<string, (t: WithCleanUp, site: Workspace) => Promise<Upstream>>> = {
  async tarball(_t, site) {
    return {
      source: "tarball('upstream-1.0.tar.gz')",
      offer(tree) {
        removeTree(join(site.path, 'upstream-1.0.tar.gz.tree'));
        upstreamTarball(site.path, tree);
      },
      pin: ['update', 'x'],
    };
  },
  async git(_t, site) {
    const folder = join(site.home, 'repository');
    mkdirSync(folder, { recursive: true });
    return {
      source: `git('${folder}', { rev: 'main' })`,
      offer: (tree) =>
        void (existsSync(join(folder, '.git'))
          ? (writeAll(folder, tree), commitAll(folder, 'next'))
          : makeRepository(folder, tree)),
      pin: ['update', 'x'],
    };
  },
  async directory(_t, site) {
    return { source: "directory('own')", offer: (tree) => writeAll(join(site.path, 'own'), tree), pin: ['list'] };
  },
  async debian(t) {
    const mirror = await debianMirror(t);
    let release = 0;
    return {
      source: "debian('xx', { patches: true })",
      env: mirror.environment,
      offer(tree) {
        release += 1;
        const version = `1.0+dfsg${release}`;
        mirror.publish([
          {
            name: 'xx',
            version: `${version}-1`,
            files: {
              [`${version}.orig.tar.gz`]: Object.fromEntries(
                Object.entries(tree).map(([path, file]) => [`x-1.0/${path}`, file]),
              ),
              [`${version}-1.debian.tar.gz`]: {
                'debian/patches/series': 'theirs.patch\n',
                'debian/patches/theirs.patch': '--- a/run.sh\n+++ b/run.sh\n@@ -1 +1 @@\n-x\n+debian\n',
              },
            },
          },
        ]);
      },
      pin: ['update', 'x'],
      // The indexes count as new for two hours.
      forget: '.vbuild/Buildfile/fetch/apt/updated',
    };
  },
};

function writeAll(folder: string, tree: Tree): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, file] of Object.entries(tree)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    if (typeof file === 'string') writeFileSync(join(folder, path), file);
    else if (!(file instanceof Uint8Array)) writeFileSync(join(folder, path), file.text, { mode: file.mode });
  }
}

for (const [kind, make] of Object.entries(kinds)) {
  test(`the patches of a ${kind} source are opened, checked, and carried over to what it offers next`, async (t) => {
    const site = workspace(t, patches);
    const upstream = await make(t, site);
    const { vbuild, open, patch, write } = withHelpers(site, upstream.env);
    write({ 'Buildfile.ts': buildfile(upstream.source) });
    upstream.offer(content);
    assert.match((await vbuild(['patch', 'check'])).stdout, /^x@1\.0 {2}2 patches apply\n/);
    const folder = await open();
    if (kind === 'debian') {
      assert.equal(readFileSync(join(folder, 'run.sh'), 'utf8'), 'debian\n');
      assert.equal(subjects(folder).length, 3);
    }
    upstream.offer(later);
    if (upstream.forget !== undefined) rmSync(join(site.path, upstream.forget));
    await vbuild(upstream.pin);
    assert.match((await vbuild(['patch', 'check'], 1)).stderr, /Patch does not apply/);

    const { stderr } = await vbuild(['patch', 'rebase', 'x'], 1);
    assert.match(stderr, /patch +1 of 2/);
    assert.match(stderr, /in conflict +a\.txt/);
    assert.match(stderr, new RegExp(`git -C ${folder} add a\\.txt\n +vbuild patch rebase x --continue`));
    const conflict = readFileSync(join(folder, 'a.txt'), 'utf8');
    assert.match(conflict, /<<<<<<< HEAD\nnew\n4\nfunf\n|<<<<<<< HEAD\nfunf\n/);
    assert.deepEqual(
      [patch('one.patch'), patch('two.patch')],
      [one, two],
      'nothing is written before all is carried over',
    );
    assert.match((await vbuild(['patch', 'rebase', 'x', '--continue'], 1)).stderr, /not resolved yet/);
    assert.match((await vbuild(['patch', 'edit', 'x'], 1)).stderr, /--continue, or --abort/);

    writeFileSync(
      join(folder, 'a.txt'),
      conflict.replace(/<<<<<<< [^]*>>>>>>> .*\n/, conflict.includes('HEAD\nnew') ? 'new\n4\ncinq\n' : 'cinq\n'),
    );
    inGit(folder, 'add', 'a.txt');
    const { stdout } = await vbuild(['patch', 'rebase', 'x', '--continue']);
    assert.equal(
      stdout,
      'changed    patches/x/one.patch\ndropped    patches/x/two.patch  (no longer in the series; the file is still there)\n',
    );
    assert.equal(patch('series'), '# ours\none.patch\n');
    assert.ok(patch('one.patch').startsWith(one.slice(0, one.indexOf('---'))));
    assert.match(patch('one.patch'), /^-funf\n\+cinq$/m);
    assert.match((await vbuild(['patch', 'check'])).stdout, /1 patch applies/);
    assert.equal((await vbuild(['patch', 'rebase', 'x'])).stdout, '1 patch applies as before\n');
  });
}

test('a patch that merges without help keeps its bytes where it still applies, and is written anew where not', async (t) => {
  const { open, vbuild, upstream, patch } = lab(t);
  await open();
  // Context of the first patch changes; the lines of the second one only move.
  upstream({
    ...content,
    'a.txt': content['a.txt']?.toString().replace('\n3\n', '\ndrei\n').replace('\n4\n', '\n4 \n') ?? '',
    'sub/b.txt': `top\n${numbers(100, 140)}`,
  });
  await vbuild(['update', 'x']);
  const first = await vbuild(['patch', 'rebase', 'x'], 1);
  assert.match(first.stderr, /in conflict +a\.txt/);
  assert.match((await vbuild(['patch', 'rebase', 'x', '--abort'])).stdout, /as they were/);
  assert.deepEqual([patch('one.patch'), patch('two.patch')], [one, two]);
  upstream({
    ...content,
    'a.txt': content['a.txt']?.toString().replace('\n6\n', '\n6\n6.5\n').replace('\n2\n', '\n') ?? '',
    'sub/b.txt': `top\n${numbers(100, 140)}`,
  });
  await vbuild(['update', 'x']);
  assert.equal((await vbuild(['patch', 'rebase', 'x'])).stdout, '2 patches apply as before\n');
});

test('patches are carried along when upstream renames a file', async (t) => {
  const { open, vbuild, upstream, patch } = lab(t);
  await open();
  const { 'a.txt': text = '', ...rest } = content;
  upstream({ ...rest, 'renamed.txt': text });
  await vbuild(['update', 'x']);
  assert.equal(
    (await vbuild(['patch', 'rebase', 'x'])).stdout,
    'changed    patches/x/one.patch\nunchanged  patches/x/two.patch\n',
  );
  assert.match(patch('one.patch'), /^\+\+\+ b\/renamed\.txt$/m);
});

test('without any trace of what the patches were made against, a rebase still shows the lines that differ', async (t) => {
  const { open, vbuild, upstream, path } = lab(t);
  upstream(later);
  const { stderr } = await vbuild(['patch', 'rebase', 'x'], 1);
  assert.match(stderr, /not known what the patches were made against/);
  assert.match(stderr, /in conflict +a\.txt/);
  const folder = join(path, '.vbuild/Buildfile/edit/x_1.0');
  const conflict = readFileSync(join(folder, 'a.txt'), 'utf8');
  assert.match(conflict, /<<<<<<< HEAD\nfunf\n\|\|\|\|\|\|\| [^]*\n5\n=======\nfive\n>>>>>>> /);
  writeFileSync(join(folder, 'a.txt'), conflict.replace(/<<<<<<< [^]*>>>>>>> .*\n/, 'cinq\n'));
  inGit(folder, 'commit', '--quiet', '--all', '--message=by hand');
  assert.match(
    (await vbuild(['patch', 'rebase', 'x', '--continue'])).stdout,
    /^changed {4}patches\/x\/one\.patch\ndropped/,
  );
  assert.equal(await open(), folder);
});

test('the old pin in the lock file tells what patches were made against when only the version in the Buildfile moved', async (t) => {
  const { vbuild, write, path, patch } = lab(t);
  await vbuild(['lock', 'x']);
  upstreamTarball(path, later, 'upstream-2.0.tar.gz');
  write({ 'Buildfile.ts': buildfile("tarball('upstream-2.0.tar.gz')").replace("'1.0'", "'2.0'") });
  await vbuild(['lock', 'x']);
  rmSync(join(path, '.vbuild'), { recursive: true });
  const { stderr } = await vbuild(['patch', 'rebase', 'x'], 1);
  assert.doesNotMatch(stderr, /not known/);
  assert.match(stderr, /in conflict +a\.txt/);
  assert.equal(patch('one.patch'), one);
});

test('docs/patches.md shows what its commands print', async (t) => {
  const page = readFileSync(join(checkout, 'docs/patches.md'), 'utf8');
  const blocks = [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  assert.ok(blocks.length >= 5, `${blocks.length} blocks`);
  const header = (...lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
  const first = header('#define NAME "zlib"', '', 'limit=10', '', 'debug=0', 'end=1');
  const site = workspace(t, {
    'Buildfile.ts': buildfile("tarball('zlib.tar')", "'patches/zlib'")
      .replace("'x'", "'zlib'")
      .replace("'1.0'", "'1.3.1'"),
    'patches/zlib/series': '# for the shop\nlimit.patch\nname.patch\n',
    'patches/zlib/limit.patch': header(
      'Description: Raise the limit',
      'Author: Ada <ada@example.org>',
      '--- a/zlib.h',
      '+++ b/zlib.h',
      '@@ -1,6 +1,6 @@',
      ' #define NAME "zlib"',
      ' ',
      '-limit=10',
      '+limit=20',
      ' ',
      ' debug=0',
      ' end=1',
    ),
    'patches/zlib/name.patch': header(
      'From: Linus <linus@example.org>',
      'Subject: [PATCH] Name the shop',
      '',
      '---',
      '--- a/zlib.h',
      '+++ b/zlib.h',
      '@@ -1,4 +1,4 @@',
      '-#define NAME "zlib"',
      '+#define NAME "shop"',
      ' ',
      ' limit=20',
      ' ',
    ),
    'elsewhere/zlib.h': first.replace('limit=10', 'limit=12'),
    'one/zlib/zlib.h': first,
    'two/zlib/zlib.h': first.replace('limit=10', 'limit=12'),
  });
  const env = {
    PATH: `${join(checkout, 'bin')}:${process.env['PATH']}`,
    GIT_AUTHOR_NAME: 'Me',
    GIT_AUTHOR_EMAIL: 'me@example.org',
    GIT_COMMITTER_NAME: 'Me',
    GIT_COMMITTER_EMAIL: 'me@example.org',
  };
  const pack = (folder: string): void =>
    void execFileSync('tar', ['--mtime=@0', '-cf', 'zlib.tar', '-C', folder, 'zlib'], { cwd: site.path });
  pack('one');
  await site.run(['patch', 'check', '--quiet']);
  /** Paths of this machine, ids and progress are not the same everywhere. */
  const settled = (text: string): string =>
    text
      .replaceAll(site.path, '/home/me/shop')
      .replace(/^\[1\/1\].*\n/gm, '')
      .replace(/\b[0-9a-f]{7}([0-9a-f]{5})?\b/g, 'ID')
      .replace(/ +/g, ' ')
      .trim();
  let cwd = site.path;
  for (const part of blocks.join('').split(/^\$ /m).slice(1)) {
    const [command = '', ...lines] = part.split('\n');
    if (command.startsWith('cd ')) {
      cwd = resolve(cwd, command.slice(3).replace('/home/me/shop', site.path));
      continue;
    }
    if (command.startsWith('vbuild update')) pack('two');
    const { stdout, stderr } = await runProgram(['sh', '-c', command], { cwd, home: site.home, env });
    assert.equal(settled(stdout + stderr), settled(lines.join('\n')), command);
  }
});
