/** Thousands of sound and damaged patches, all kinds of header and hunk among them: an answer each, all or nothing, never outside of the tree. */
import assert from 'node:assert/strict';
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTwoFilesPatch } from 'diff';
import fc from 'fast-check';
import { VbuildError } from '../../src/model/error.ts';
import { applySeries } from '../../src/patches/apply-series.ts';
import { staysInside } from '../../src/patches/tree-view.ts';
import { readBytes, walk } from '../../src/system/files.ts';
import { edits, mutated } from '../support/mutate.ts';
import { tempDir, writeTree } from '../support/temp.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', 'd\r', '-- x', '++ y', '\\ z', '\xff'), { maxLength: 14 });
const text = fc
  .tuple(lines, fc.boolean())
  .map(([all, ended]) => all.join('\n') + (ended && all.length > 0 ? '\n' : ''));
const name = fc.constantFrom(
  'x',
  'd/y',
  'n',
  'd/n/m',
  'l',
  'out/v',
  'in/y',
  '../v',
  'd/../../v',
  '.git/config',
  'd',
  'two words',
);
/** One section about a file, mostly one that the tree may hold. */
const section = fc.record({
  name,
  before: text,
  after: text,
  context: fc.integer({ min: 0, max: 3 }),
  form: fc.constantFrom('plain', 'git', 'new', 'new link', 'gone', 'rename', 'copy', 'mode', 'index', 'hg'),
  to: name,
});

function sectionText({
  name: file,
  before,
  after,
  context,
  form,
  to,
}: typeof section extends fc.Arbitrary<infer T> ? T : never): string {
  const body = (old: string, fresh: string, from = `a/${file}`, into = `b/${file}`): string =>
    createTwoFilesPatch(from, into, old, fresh, '', '', { context }).replace(/^=+\n/, '');
  const git = `diff --git a/${file} b/${file}\n`;
  switch (form) {
    case 'plain':
      return body(before, after);
    case 'git':
      return `${git}index 1..2 100644\n${body(before, after)}`;
    case 'new':
      return `${git}new file mode 100755\n${body('', after, '/dev/null')}`;
    case 'new link':
      return `${git}new file mode 120000\n--- /dev/null\n+++ b/${file}\n@@ -0,0 +1 @@\n+${to}\n\\ No newline at end of file\n`;
    case 'gone':
      return `${git}deleted file mode 100644\n${body(before, '', `a/${file}`, '/dev/null')}`;
    case 'rename':
    case 'copy':
      return `diff --git a/${file} b/${to}\n${form} from ${file}\n${form} to ${to}\n${before === after ? '' : body(before, after, `a/${file}`, `b/${to}`)}`;
    case 'mode':
      return `${git}old mode 100644\nnew mode 100755\n`;
    case 'index':
      return `Index: ${file}\n${'='.repeat(67)}\n${body(before, after, file, file)}`;
    case 'hg':
      return `# HG changeset patch\ndiff -r 1 -r 2 ${file}\n${body(before, after)}`;
    default:
      return form;
  }
}

const runs = 4000;

test(`${runs} generated and damaged patches end in a tree or in a VbuildError, all or nothing, and never outside`, {
  timeout: 1_200_000,
}, async (t) => {
  const folder = tempDir(t, 'fuzz');
  const tree = join(folder, 'tree');
  const state = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      walk(tree).map(({ path, type, mode, target }) => [
        path,
        `${type} ${mode.toString(8)} ${target ?? (type === 'file' ? readBytes(join(tree, path)).toString('latin1') : '')}`,
      ]),
    );
  const outside = (): unknown =>
    walk(folder)
      .filter(({ path }) => path !== 'p' && path !== 'tree' && !path.startsWith('tree/'))
      .map(({ path, type, mode, mtimeNs }) => [path, type, mode, mtimeNs]);
  writeTree(folder, { v: 'outside\n', 'o/v': 'outside\n' });
  const around = outside();
  /** Symlinks of the tree's own: out of it, within it, to nowhere. */
  const links = { out: '../o', in: 'd', l: 'x', gone: '../nothing' } as const;
  const reset = (files: Readonly<Record<string, string>>): void => {
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(tree);
    writeTree(
      tree,
      Object.fromEntries(Object.entries(files).map(([path, content]) => [path, Buffer.from(content, 'latin1')])),
    );
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(tree, path));
  };
  const answers = { applied: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(section, { minLength: 1, maxLength: 3 }),
      fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: edits(12, 3) }),
      fc.constantFrom('strict' as const, 'dpkg' as const),
      fc.constantFrom(1, 1, 1, 0, 2),
      async (sections, damage, dialect, strip) => {
        reset({
          'd/y': 'a\nb\n',
          x: 'c\n',
          ...Object.fromEntries(
            sections.flatMap(({ name: file, before, form }) =>
              /^(x|d\/y|two words)$/.test(file) && form !== 'new' ? [[file, before]] : [],
            ),
          ),
        });
        const before = state();
        const bytes = mutated(Buffer.from(sections.map(sectionText).join(''), 'latin1'), damage);
        writeTree(folder, { p: bytes });
        try {
          await applySeries({ tree, patches: [{ name: 'p', path: join(folder, 'p'), strip }], dialect });
          answers.applied += 1;
          for (const { path, type, target } of walk(tree)) {
            assert.ok(type !== 'other' && !/(^|\/)\.git(\/|$)|\.tmp$/.test(path), path);
            if (target === undefined || (links as Record<string, string>)[path] === target) continue;
            assert.ok(staysInside(path, readlinkSync(join(tree, path))), `${path} -> ${target}`);
          }
        } catch (error) {
          if (!(error instanceof VbuildError)) throw error;
          answers.refused += 1;
          assert.deepEqual(state(), before);
        }
        assert.deepEqual(outside(), around);
        assert.ok(readBytes(join(folder, 'p')).equals(bytes));
      },
    ),
    { numRuns: runs },
  );
  assert.ok(answers.applied > runs / 20 && answers.refused > runs / 20, JSON.stringify(answers));
});
