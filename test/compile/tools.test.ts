import assert from 'node:assert/strict';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { autotools } from '../../src/compile/autotools.ts';
import { cmake } from '../../src/compile/cmake.ts';
import { probeTools } from '../../src/compile/probe-tools.ts';
import {
  type ToolName,
  installToolsCommand,
  missingTools,
  missingToolsError,
  pythonName,
  toolNamed,
  toolNames,
} from '../../src/compile/tools.ts';
import { exists } from '../../src/system/files.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { exportToCaller } from './compiled.ts';

const outputs: readonly (readonly [tool: ToolName, output: string, version: string])[] = [
  ['autoconf', 'autoconf (GNU Autoconf) 2.71\nCopyright', '2.71'],
  ['automake', 'automake (GNU automake) 1.16.5\n', '1.16.5'],
  ['bison', 'bison (GNU Bison) 3.8.2\n', '3.8.2'],
  ['cc', 'compiler gcc 12.2.0\n', 'gcc 12.2.0'],
  ['cmake', 'cmake version 3.25.1\n\nCMake suite', '3.25.1'],
  ['cmake', 'cmake version 3.28.0-rc2\n', '3.28.0'],
  ['flex', 'flex 2.6.4\n', '2.6.4'],
  ['gettext', 'msgfmt (GNU gettext-tools) 0.21\n', '0.21'],
  ['libtool', 'libtoolize (GNU libtool) 2.4.7\n', '2.4.7'],
  ['make', 'GNU Make 4.3\nBuilt for x86_64', '4.3'],
  ['make', 'GNU Make 4.4.1\n', '4.4.1'],
  ['meson', '1.0.1\n', '1.0.1'],
  ['nasm', 'NASM version 2.16.01\n', '2.16.01'],
  ['nasm', 'NASM version 2.15.05 compiled on Aug 28 2020\n', '2.15.05'],
  ['ninja', '1.11.1\n', '1.11.1'],
  ['ninja', '1.11.1.git.kitware.jobserver-1\n', '1.11.1'],
  ['patchelf', 'patchelf 0.14.3\n', '0.14.3'],
  ['pkg-config', '1.8.1\n', '1.8.1'],
  ['python3', 'version cpython 3.11 cpython-311-x86_64-linux-gnu\n', 'cpython 3.11 cpython-311-x86_64-linux-gnu'],
  ['strip', 'GNU strip (GNU Binutils for Debian) 2.40\n', '2.40'],
  ['strip', 'GNU strip (GNU Binutils) 2.41.0.20230908\n', '2.41.0.20230908'],
  ['strip', 'GNU strip version 2.35.2-42.el9\nCopyright', '2.35.2'],
  ['texinfo', 'texi2any (GNU texinfo) 6.8\n', '6.8'],
];
for (const [tool, output, version] of outputs) {
  test(`the version of ${tool} in ${JSON.stringify(output)} is ${version}`, () => {
    assert.equal(toolNamed(tool).version.exec(output)?.slice(1).join(' '), version);
  });
}

test('probeTools() finds the compiler and make that every machine for development has, without a revision of the distribution', async () => {
  const found = await probeTools(['cc', 'make', 'strip'], new AbortController().signal);
  for (const [tool, pattern] of [
    ['cc', /^(gcc|clang) \d+\.\d+\.\d+$/],
    ['make', /^\d+(\.\d+)+$/],
    ['strip', /^\d+(\.\d+)+$/],
  ] as const) {
    const one = found[tool];
    assert.ok(one !== 'missing');
    assert.match(one.version, pattern);
  }
});

test("probeTools() never runs a python3 or a make that is first on the caller's PATH", async (t) => {
  const folder = tempDir(t);
  const ran = join(folder, 'ran');
  const impostor = {
    text: `#!/bin/sh\ntouch ${ran}\necho version cpython 9.9 wrong\necho GNU Make 9.9\n`,
    mode: 0o755,
  };
  writeTree(folder, { python3: impostor, make: impostor });
  exportToCaller(t, { PATH: [folder, process.env['PATH']].join(delimiter) });
  const { make } = await probeTools(['make', 'python3'], new AbortController().signal);
  assert.notDeepEqual(make, { version: '9.9' });
  assert.equal(exists(ran), false);
});

test('probeTools() stops when it is interrupted', async () => {
  await assert.rejects(probeTools(['cc'], AbortSignal.abort()));
});

test('missingTools() lists each missing tool with all that need it, and nothing that nobody needs', () => {
  const needs = [
    { package: 'jpeg@1', tools: ['cc', 'nasm'] },
    { package: 'tiff@2', tools: ['autoconf', 'cc'] },
    { package: 'x264@3', tools: ['nasm'] },
  ] as const;
  const found = { autoconf: 'missing', nasm: 'missing', bison: 'missing', cc: { version: 'gcc 12.2.0' } } as const;
  assert.deepEqual(missingTools(needs, found), [
    { tool: 'autoconf', neededBy: ['tiff@2'], debianPackages: ['autoconf'] },
    { tool: 'nasm', neededBy: ['jpeg@1', 'x264@3'], debianPackages: ['nasm'] },
  ]);
});

test('missingToolsError() names the tool, who needs it, and one command that brings all Debian packages', () => {
  const error = missingToolsError(
    missingTools([{ package: 'jpeg@1', tools: ['cc', 'nasm'] }], { cc: 'missing', nasm: 'missing' }),
    true,
  );
  assert.equal(error.code, 'tool-missing');
  assert.deepEqual(error.facts, { cc: 'needed by jpeg@1', nasm: 'needed by jpeg@1' });
  assert.ok(error.mend.includes(installToolsCommand(['gcc', 'libc6-dev', 'nasm'], true).join(' ')), error.mend);
});

test('installToolsCommand() goes through sudo for whoever is not root', () => {
  assert.deepEqual(installToolsCommand(['nasm'], true).slice(0, 2), ['apt-get', 'install']);
  assert.deepEqual(installToolsCommand(['nasm'], false).slice(0, 3), ['sudo', 'apt-get', 'install']);
});

test('a misspelt tool is found by the compiler, and when the Buildfile is loaded', () => {
  // @ts-expect-error there is no such tool
  const { problems } = cmake({ tools: ['nasmm'] });
  assert.deepEqual(problems, [{ expected: `tools among ${toolNames.join(', ')}`, found: 'nasmm', mend: 'write nasm' }]);
});

test('a package that needs nasm says so in its recipe, so that its lack shows before anything is compiled', () => {
  const { tools } = cmake({ tools: ['nasm'] });
  const [lack] = missingTools([{ package: 'libjpeg-turbo@2.1.5', tools }], { nasm: 'missing' });
  assert.deepEqual(lack?.neededBy, ['libjpeg-turbo@2.1.5']);
});

test('autoreconf brings its tools with it', () => {
  const made = autotools({ autoreconf: true }).tools.filter((tool) => !autotools().tools.includes(tool));
  assert.deepEqual(made, ['autoconf', 'automake', 'libtool']);
});

test('every tool has a Debian package, and a pattern with a group', () => {
  for (const name of toolNames) {
    const { packages, version } = toolNamed(name);
    assert.ok(packages.length > 0, name);
    assert.match(version.source, /\((?!\?)/, name);
  }
});

test('pythonName() is how the interpreter of a pinned version is called', () => {
  assert.equal(pythonName('cpython 3.11 cpython-311-x86_64-linux-gnu'), 'python3.11');
});
