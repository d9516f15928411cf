/** Traps that Python packages lay: Debian's dist-packages, foreign interpreters, .pyc files with times and paths, options lost in setup.cfg. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { installWheel } from '../../src/compile/install-wheel.ts';
import { python } from '../../src/compile/python.ts';
import { place } from '../../src/compile/recipe.ts';
import { steps } from '../../src/compile/steps.ts';
import { VbuildError } from '../../src/model/error.ts';
import { copyTree } from '../../src/system/copy-tree.ts';
import { exists, walk } from '../../src/system/files.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { tempDir, type Tree, type WithCleanUp, writeTree } from '../support/temp.ts';
import { compile, exportToCaller, pythonHere, unlessThere } from './compiled.ts';

const needPython = unlessThere('python3', 'python-pip', 'python-setuptools', 'python-wheel');
const needHeaders = needPython === false ? unlessThere('python-headers') : needPython;
const site = `lib/${pythonHere}/site-packages`;

const pure: Tree = {
  'setup.cfg': `[metadata]
name = probe
version = 1.0+site1
[options]
packages = probe
scripts = plain.py
[options.entry_points]
console_scripts =
    probe-where = probe.where:Where.main
[options.data_files]
share/probe = data.txt
`,
  'setup.py': 'from setuptools import setup\nsetup()\n',
  'probe/__init__.py':
    'WORDS = frozenset({"alpha", "beta", "gamma", "delta"})\ndef known(w): return w in {"one", "two", "three", "four"}\n',
  'probe/where.py':
    'class Where:\n    @staticmethod\n    def main():\n        print(__file__, Where.main.__code__.co_filename)\n',
  'plain.py': '#!/usr/bin/python3\nprint("plain")\n',
  'data.txt': 'data\n',
};

const extension: Tree = {
  'setup.py': `from setuptools import setup, Extension
setup(name='probe', version='1', ext_modules=[Extension('probe', ['probe.c'], libraries=['dep'])])
`,
  'probe.c': `#include <Python.h>
#include <dep.h>
#include <assert.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "probe"};
PyMODINIT_FUNC PyInit_probe(void) { assert(DEP > 0); return PyModule_Create(&def); }
`,
};

/** The pure package, compiled once for the tests that only look at it. */
const built =
  needPython === false
    ? await compile({ after }, { recipe: python({ pure: true }), tree: pure, label: 'a' })
    : undefined;

/** A copy of what it staged, as another prefix; removed when the test ends. */
function prefixElsewhere(t: WithCleanUp): string {
  const moved = join(tempDir(t), 'a longer place than before');
  copyTree(built?.staged ?? '', moved);
  return moved;
}

/** Runs the machine's own interpreter as a user of the prefix would. */
function runPython(top: string, args: readonly string[]): string {
  const env = { PATH: '/usr/bin:/bin', PYTHONPATH: join(top, site) };
  const { stdout, stderr, status } = spawnSync(`/usr/bin/${pythonHere}`, args, { env, encoding: 'utf8', cwd: '/' });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("a Python package lands in site-packages, not where Debian's pip would put it", {
  skip: needPython,
}, async () => {
  assert.ok(built);
  const { files, staged, prefix } = built;
  const inside = files.map((file) => file.replace(`${prefix}/`, ''));
  for (const file of [
    `${site}/probe/__init__.py`,
    `${site}/probe-1.0+site1.dist-info/RECORD`,
    'bin/probe-where',
    'bin/plain.py',
    'share/probe/data.txt',
  ]) {
    assert.ok(inside.includes(file), `${file} is not among\n${inside.join('\n')}`);
  }
  assert.ok(
    inside.every((file) => !file.includes('dist-packages') && !file.startsWith('/') && !file.startsWith('local/')),
  );
  assert.equal(statSync(join(staged, 'bin/probe-where')).mode & 0o777, 0o755);
  assert.equal(statSync(join(staged, site, 'probe/__init__.py')).mode & 0o777, 0o644);
});

test('two builds of a Python package in different places are the same to the byte, .pyc files included', {
  skip: needPython,
}, async (t) => {
  assert.ok(built);
  exportToCaller(t, {
    PYTHONHASHSEED: '7',
    PYTHONPATH: '/caller',
    PIP_INDEX_URL: 'http://127.0.0.1:9/',
    PYTHONOPTIMIZE: '2',
    PYTHONUSERBASE: '/caller',
  });
  const second = await compile(t, { recipe: python({ pure: true }), tree: pure, label: 'another-place' });
  assert.ok(walk(built.staged).some(({ path }) => path.endsWith('.pyc')));
  assert.equal(treeDigest(second.staged), treeDigest(built.staged));
});

test('installed modules, moved elsewhere, run from their .pyc files, know their real place, and nothing is written when they run', {
  skip: needPython,
}, async (t) => {
  const moved = prefixElsewhere(t);
  const before = treeDigest(moved);
  const file = join(moved, site, 'probe/where.py');
  assert.equal(runPython(moved, ['-c', 'import probe.where as w; w.Where.main()']), `${file} ${file}`);
  assert.equal(treeDigest(moved), before);
  writeTree(moved, { [`${site}/probe/where.py`]: 'raise SystemExit("the source was read")\n' });
  assert.equal(runPython(moved, ['-c', 'import probe.where as w; w.Where.main()']), `${file} ${file}`);
});

test('a script made from an entry point finds its modules by its own place, also through a link to the prefix', {
  skip: needPython,
}, async (t) => {
  const moved = prefixElsewhere(t);
  const link = join(tempDir(t), 'vendor');
  symlinkSync(moved, link);
  const { stdout, stderr } = spawnSync(join(link, 'bin/probe-where'), {
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
    cwd: '/',
  });
  assert.equal(stderr, '');
  assert.ok(stdout.startsWith(join(moved, site, 'probe/where.py')));
  assert.equal(readFileSync(join(moved, 'bin/plain.py'), 'utf8'), `#!/usr/bin/env ${pythonHere}\nprint("plain")\n`);
});

test('RECORD lists every installed file, and no digest of one that vbuild may still change', {
  skip: needPython,
}, async () => {
  assert.ok(built);
  const { staged } = built;
  const rows = readFileSync(join(staged, site, 'probe-1.0+site1.dist-info/RECORD'), 'utf8')
    .trim()
    .split('\n');
  const listed = rows.map((row) => join(site, row.split(',')[0] ?? '')).sort();
  const there = walk(staged).flatMap(({ path, type }) => (type === 'file' ? [path] : []));
  assert.deepEqual(listed, there);
  for (const row of rows)
    assert.match(
      row,
      row.startsWith('probe/') && !row.includes('.pyc') ? /,sha256=[\w-]+,\d+$/ : /^[^,]+,(?:sha256=[\w-]+,\d+|,)$/,
    );
  assert.ok(rows.includes('../../../bin/probe-where,,'));
});

test("neither a python3 nor a pip that is first on the caller's PATH is ever run, nor the caller's pip configuration read", {
  skip: needPython,
}, async (t) => {
  const folder = tempDir(t);
  const ran = join(folder, 'ran');
  const impostor = { text: `#!/bin/sh\ntouch ${ran}\nexit 1\n`, mode: 0o755 };
  writeTree(folder, {
    python3: impostor,
    [pythonHere]: impostor,
    pip: impostor,
    'pip.conf': '[global]\nbroken =\nno-build-isolation = yes\ntarget = /caller\n',
  });
  exportToCaller(t, {
    PATH: [folder, process.env['PATH']].join(delimiter),
    PYENV_VERSION: '3.9.9',
    PIP_CONFIG_FILE: join(folder, 'pip.conf'),
    VIRTUAL_ENV: folder,
  });
  const { staged } = await compile(t, { recipe: python({ pure: true }), tree: pure });
  assert.ok(exists(join(staged, site, 'probe/__init__.py')));
  assert.equal(exists(ran), false);
});

test("an extension module takes its dependency's header and library from the prefix, and holds no path of the build but the run path", {
  skip: needHeaders,
}, async (t) => {
  const dependency = await compile(t, {
    recipe: steps([
      { group: 'build', run: 'echo "int dep = 1;" | cc -shared -fPIC -o libdep.so -x c -' },
      { group: 'install', run: `install -D libdep.so ${place.stage}${place.prefix}/lib/libdep.so` },
    ]),
    tree: {},
  });
  const prefix = {
    'include/dep.h': '#define DEP 1\n',
    'lib/libdep.so': readFileSync(join(dependency.staged, 'lib/libdep.so')),
  };
  const extended = await compile(t, { recipe: python(), tree: extension, prefix });
  const [module] = walk(join(extended.staged, site)).filter(({ path }) => path.endsWith('.so'));
  const bytes = readFileSync(join(extended.staged, site, module?.path ?? ''), 'latin1');
  assert.ok(bytes.includes(`${extended.prefix}/lib`));
  assert.ok(!bytes.includes(`${extended.root}/tree`) && !bytes.includes('.debug_info'));
  const record = walk(join(extended.staged, site)).find(({ path }) => path.endsWith('RECORD'));
  assert.match(readFileSync(join(extended.staged, site, record?.path ?? ''), 'utf8'), /^probe\.[^,]*\.so,,$/m);
});

test('a module of a Python dependency in the prefix can be imported while a package is built', {
  skip: needPython,
}, async (t) => {
  const tree = {
    ...pure,
    'setup.py': 'import helper\nfrom setuptools import setup\nassert helper.ANSWER == 42\nsetup()\n',
  };
  await compile(t, { recipe: python({ pure: true }), tree, prefix: { [`${site}/helper.py`]: 'ANSWER = 42\n' } });
});

test('settings reach setup.cfg whole, beside what is there already, and replace what is spelt with _ for -', {
  skip: needPython,
}, async (t) => {
  const tree = { 'setup.cfg': '[build_ext]\ndisable_xcb = 0\ninplace = 1\n[metadata]\nName = X\n' };
  const settings = { build_ext: { 'disable-xcb': '1', 'enable-jpeg': '1' }, extra: { text: 'a = b; c' } };
  const prepare = python({ setupCfg: settings }).steps.filter(({ group }) => group === 'prepare');
  const edited = await compile(t, { recipe: steps(prepare, { tools: ['python3'] }), tree });
  const text = readFileSync(join(edited.tree, 'setup.cfg'), 'utf8');
  const wanted =
    '[build_ext]\ninplace = 1\ndisable-xcb = 1\nenable-jpeg = 1\n\n[metadata]\nName = X\n\n[extra]\ntext = a = b; c\n';
  assert.equal(text.trim(), wanted.trim());
});

test('a file that is not Python of this version is left uncompiled, and said so', { skip: needPython }, async (t) => {
  const { log, staged } = await compile(t, {
    recipe: python({ pure: true }),
    tree: { ...pure, 'probe/old.py': 'print "two"\n' },
  });
  assert.match(log, /note: not compiled, .*\n?.*old\.py/);
  assert.ok(exists(join(staged, site, 'probe/old.py')));
  assert.ok(!walk(staged).some(({ path }) => /old\..*\.pyc$/.test(path)));
});

/** Installs a wheel that is made of the given files by Python's own zip module. */
async function installing(
  t: Parameters<typeof compile>[0],
  files: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const zip = `import json, sys, zipfile
with zipfile.ZipFile('../wheel/probe-1-py3-none-any.whl', 'w') as wheel:
    for name, text in json.loads(sys.argv[1]).items():
        wheel.writestr(name, text)
`;
  const recipe = steps(
    [
      { group: 'prepare', run: ['mkdir', '-p', '../wheel'] },
      { group: 'build', run: ['python3', '-I', '-c', zip, JSON.stringify(files)] },
      {
        group: 'install',
        run: ['python3', '-I', '-c', installWheel, `${place.root}/wheel`, place.stage, place.prefix, place.python],
      },
    ],
    { tools: ['python3'] },
  );
  const { files: found, prefix } = await compile(t, { recipe, tree: {} });
  return found.map((file) => file.replace(`${prefix}/`, ''));
}
const info = { 'probe-1.dist-info/METADATA': 'Name: probe\n', 'probe-1.dist-info/RECORD': '' };

test('the folders of a wheel are each put in their place', { skip: needPython }, async (t) => {
  const files = await installing(t, {
    ...info,
    'probe-1.data/purelib/a.txt': '',
    'probe-1.data/platlib/b.txt': '',
    'probe-1.data/scripts/tool': '#!python\nprint()\n',
    'probe-1.data/headers/c.h': '',
    'probe-1.data/data/etc/d.conf': '',
  });
  const expected = ['bin/tool', 'etc/d.conf', `include/${pythonHere}/probe/c.h`, `${site}/a.txt`, `${site}/b.txt`];
  assert.deepEqual(
    files.filter((file) => !file.includes('dist-info')),
    expected,
  );
});

const hostile: readonly (readonly [title: string, files: Readonly<Record<string, string>>, error: RegExp])[] = [
  ['a module above site-packages', { ...info, '../../../../evil.py': '' }, /leaves the prefix: \.\.\/evil\.py/],
  ['data above the prefix', { ...info, 'probe-1.data/data/../../evil': '' }, /leaves the prefix/],
  ['a folder of an unknown sort', { ...info, 'probe-1.data/wrong/x': '' }, /unknown sort/],
  [
    'an entry point that is no name',
    { ...info, 'probe-1.dist-info/entry_points.txt': '[console_scripts]\nx = a:b()\n' },
    /cannot be understood/,
  ],
  [
    'an entry point with a path for a name',
    { ...info, 'probe-1.dist-info/entry_points.txt': '[console_scripts]\n../x = a:b\n' },
    /cannot be understood/,
  ],
  ['one file twice', { ...info, 'a.txt': '1', 'probe-1.data/purelib/a.txt': '2' }, /FileExistsError/],
  ['no metadata', { 'a.py': '' }, /no \.dist-info/],
];
for (const [title, files, pattern] of hostile) {
  test(`a wheel with ${title} is refused`, { skip: needPython }, async (t) => {
    await assert.rejects(installing(t, files), (error) => {
      assert.ok(error instanceof VbuildError);
      assert.match(error.facts['error'] ?? '', pattern);
      return true;
    });
  });
}
