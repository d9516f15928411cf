/** The same package compiled under one canonical path and under padded ones, by other users and in other folders: one artifact. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { canonicalRoot } from '../../src/artifact/build-root.ts';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import { findNamespace } from '../../src/system/namespace.ts';
import { unlessThere } from '../compile/compiled.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { tempDir, type Tree, writeTree } from '../support/temp.ts';
import { type Ended, runProgram, vbuildBin } from '../support/vbuild.ts';

const missing = unlessThere('cmake', 'python3', 'python-pip', 'python-setuptools', 'python-wheel', 'python-headers');
const noNamespace = await (async () => {
  using folder = temporaryFolder('vbuild-test');
  return (await findNamespace(folder.path, canonicalRoot)) === undefined && 'this machine forbids mount namespaces';
})();

const buildfile = `import { cmake, defineBuild, definePackage, directory, make, place, python } from 'vbuild';

const variables = { PREFIX: place.prefix };
const version = '1.0';
const asserting = definePackage('asserting', { version, source: directory('asserting'), recipe: make({ variables }) });
const archive = definePackage('archive', { version, source: directory('archive'), recipe: make({ variables }), tools: ['cxx'] });
const sealed = definePackage('sealed', { version, source: directory('sealed'), recipe: make({ variables }), strip: false });
const library = definePackage('library', { version, source: directory('library'), deps: [asserting], buildDeps: [archive], recipe: cmake(), tools: ['cxx'] });
const module = definePackage('module', { version, source: directory('module'), deps: [asserting], recipe: python() });
const digesting = definePackage('digesting', { version, source: directory('digesting'), recipe: make({ variables }) });
const packages = [asserting, archive, sealed, library, module, digesting];
export default defineBuild({ packages, defaults: packages });
`;

/** Each holds what is known to carry the build folder into the bytes. */
const upstream: Tree = {
  // __FILE__ of a source named by its absolute path, a run path, and a text with the prefix in two places.
  'asserting/Makefile': `libasserting.so: asserting.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -Wl,-soname,$@ -o $@ $(CURDIR)/asserting.c $(LDFLAGS)
install: libasserting.so
	mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	cp libasserting.so $(DESTDIR)$(PREFIX)/lib
	cp asserting.h $(DESTDIR)$(PREFIX)/include
	printf 'prefix=%s\\nName: asserting\\nDescription: x\\nVersion: 1\\nCflags: -I%s/include\\nLibs: -L$$\{prefix}/lib -lasserting\\n' $(PREFIX) $(PREFIX) \\
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/asserting.pc
`,
  'asserting/asserting.h': 'int positive(int x);\n',
  'asserting/asserting.c':
    '#include <assert.h>\nconst char *where(void) { return __FILE__; }\nint positive(int x) { assert(x > 0); return x; }\n',
  // Symbols of initialisers that gcc names after the source, which archives keep.
  'archive/Makefile': `libarchive.a: one.o two.o
	$(AR) rcs $@ one.o two.o
one.o two.o: %.o: %.cc
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -fPIC -c -o $@ $(CURDIR)/$<
install: libarchive.a
	mkdir -p $(DESTDIR)$(PREFIX)/lib
	cp libarchive.a $(DESTDIR)$(PREFIX)/lib
`,
  'archive/one.cc': '#include <string>\nnamespace { struct S { std::string s; S() : s(__FILE__) {} } s; }\n',
  'archive/two.cc':
    'namespace { int hidden(int x) { return x + 1; } }\nint shown(int x) { return hidden(x) * hidden(x); }\n',
  // A build id over the unstripped file, wanted by the package itself.
  'sealed/Makefile': `sealed: sealed.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $(CURDIR)/sealed.c $(LDFLAGS) -Wl,--build-id=sha1
install: sealed
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	cp sealed $(DESTDIR)$(PREFIX)/bin
`,
  'sealed/sealed.c':
    '#include <stdio.h>\nstatic int unused = 1;\nint main(void) { return printf("%s %d\\n", __FILE__, unused) < 0; }\n',
  'library/CMakeLists.txt': `cmake_minimum_required(VERSION 3.10)
project(library CXX)
find_path(ASSERTING asserting.h)
find_library(LIBASSERTING asserting)
add_library(library SHARED library.cc)
target_include_directories(library PRIVATE \${ASSERTING})
target_link_libraries(library PRIVATE \${LIBASSERTING})
add_executable(tool tool.cc)
target_link_libraries(tool library)
file(WRITE \${CMAKE_BINARY_DIR}/library-config.sh "prefix=\${CMAKE_INSTALL_PREFIX}\\n")
install(FILES \${CMAKE_BINARY_DIR}/library-config.sh DESTINATION share/library)
install(TARGETS library EXPORT library DESTINATION lib)
install(TARGETS tool DESTINATION bin)
install(EXPORT library DESTINATION lib/cmake/library)
`,
  'library/library.cc':
    '#include <cassert>\nextern "C" {\n#include <asserting.h>\n}\nnamespace { struct S { S() { assert(positive(1)); } } s; }\nint answer() { return positive(42); }\n',
  'library/tool.cc': 'int answer();\nint main() { return answer() != 42; }\n',
  'module/setup.py': `from setuptools import setup, Extension
setup(name='module', version='1.0', packages=['module'], scripts=['script.py'],
      ext_modules=[Extension('module._fast', ['fast.c'], libraries=['asserting'])])
`,
  'module/module/__init__.py': 'WORDS = frozenset({"alpha", "beta", "gamma"})\ndef here(): return __file__\n',
  'module/script.py': '#!/usr/bin/python3\nimport module\n',
  'module/fast.c': `#include <Python.h>
#include <assert.h>
#include <asserting.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "_fast"};
PyMODINIT_FUNC PyInit__fast(void) { assert(positive(1)); return PyModule_Create(&def); }
`,
  // What nobody can see in the bytes, so that only one path for all keeps it the same.
  'digesting/Makefile': `all:
install:
	mkdir -p $(DESTDIR)$(PREFIX)/share
	pwd | sha256sum > $(DESTDIR)$(PREFIX)/share/digest
`,
};

interface Place {
  /** Name of the work folder. */
  readonly work: string;
  readonly padded?: boolean;
  /** Taken before vbuild, to run it as somebody else or with less. */
  readonly as?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const top = tempDir({ after }, 'places');
writeTree(top, { ...upstream, 'Buildfile.ts': buildfile });

/** Runs vbuild on the packages; the work folder, the prefix and the cache are this place's own. */
function vbuild({ work, padded = false, as = [], args = [], env = {} }: Place, cache = work): Promise<Ended> {
  const folders = [
    '--work',
    join(top, 'w', work),
    '--prefix',
    join(top, 'p', work),
    '--cache-dir',
    join(top, 'c', cache),
  ];
  return runProgram([...as, vbuildBin, '--json', '-f', join(top, 'Buildfile.ts'), ...folders, ...args], {
    cwd: top,
    home: join(top, 'home'),
    env: { ...env, ...(padded && { VBUILD_PADDED: '1' }) },
  });
}

/** Every manifest of a cache, by package. */
const manifests = (cache: string): ReadonlyMap<string, Manifest> =>
  new Map(
    globSync(join(top, 'c', cache, 'v1/artifacts/*/*/*.json')).map((file) => [
      basename(dirname(dirname(file))),
      JSON.parse(readFileSync(file, 'utf8')) as Manifest,
    ]),
  );

/** What has to be equal wherever a package is compiled; files first, as they say most when they differ. */
const product = ({ files, tree, body, key, needs, provides }: Manifest): unknown => ({
  files,
  tree,
  body,
  key,
  needs,
  provides,
});

const somebody = ['unshare', '--user', '--map-user=4711', '--map-group=4711', '--'];
const forbid = 'echo 0 > /proc/sys/user/max_mnt_namespaces && umask 027 && exec "$@"';
const forbidden = ['unshare', '--user', '--map-root-user', '/bin/sh', '-c', forbid, 'sh'];
const elsewhere = { TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', USER: 'somebody', LOGNAME: 'somebody' };

describe('one package, compiled in several places', { skip: missing || noNamespace }, async () => {
  const canonical: Place = { work: 'canonical', args: ['-j', '1', '--keep'] };
  const others: readonly Place[] = [
    {
      work: `by somebody's else, "here"`,
      as: ['/bin/sh', '-c', 'umask 077 && exec "$@"', 'sh', ...somebody],
      args: ['-j', '4'],
      env: elsewhere,
    },
    { work: 'p', padded: true, args: ['-j', '2'] },
    { work: 'where-namespaces-are-forbidden', as: forbidden, args: ['-j', '3'], env: elsewhere },
  ];
  const runs = new Map<Place, Ended>();
  if (missing === false && noNamespace === false)
    for (const place of [canonical, ...others]) runs.set(place, await vbuild(place));
  const packages = ['archive', 'asserting', 'digesting', 'library', 'module', 'sealed'];

  test('all of them are built, and the record of each says how', () => {
    for (const [place, ended] of runs) {
      insistOnSuccess(ended);
      const made = manifests(place.work);
      assert.deepEqual([...made.keys()].sort(), packages);
      const expected = place === canonical || place === others[0] ? 'canonical' : 'padded';
      for (const { build } of made.values()) assert.equal(build.place, expected, place.work);
    }
  });

  for (const name of packages) {
    // Its bytes hold a digest of the path, so that the padded ones have to differ.
    const places = name === 'digesting' ? others.slice(0, 1) : others;
    for (const place of places) {
      test(`${name} is the same as in the canonical place: ${place.work}`, () => {
        const [first, other] = [manifests(canonical.work).get(name), manifests(place.work).get(name)];
        assert.ok(first && other);
        assert.deepEqual(product(other), product(first));
      });
    }
  }

  test('the canonical place keeps equal what no check can see, which padded paths do not', () => {
    const trees = [canonical, ...others].map(({ work }) => manifests(work).get('digesting')?.tree);
    assert.equal(trees[0], trees[1]);
    assert.equal(new Set(trees).size, 3);
  });

  test('what was compiled in one way is packed with its own paths by a run that works in the other', async () => {
    const ended = insistOnSuccess(
      await vbuild({ ...canonical, padded: true, args: ['--no-install', '--keep'] }, 'second'),
    );
    assert.deepEqual(
      eventsOf(ended).stages,
      packages.map((name) => `${name}@1.0 pack`),
    );
    for (const [name, manifest] of manifests('second')) {
      assert.deepEqual(product(manifest), product(manifests(canonical.work).get(name) ?? manifest));
      assert.equal(manifest.build.place, 'canonical');
    }
  });

  test('the head of a log starts a shell in which its own lines repeat the steps', () => {
    const events = eventsOf(runs.get(canonical) ?? assert.fail()).events;
    const logPath = events.find((event) => event.package === 'asserting@1.0' && event.log !== undefined)?.log;
    const log = readFileSync(logPath ?? assert.fail('no step said where its log is'), 'utf8');
    const root = join(top, 'w/canonical/Buildfile/build/asserting_1.0/root');
    const made = join(root, 'tree/libasserting.so');
    const before = readFileSync(made);
    spawnSync('rm', ['-r', made, join(root, 'stage')]);
    const shell = /^# {3}(.*)$/m.exec(log)?.[1] ?? '';
    const commands = log.split('\n').filter((line) => /^(\(cd|export|umask)/.test(line));
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `${shell} -e`], {
      input: commands.join('\n'),
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.ok(readFileSync(made).equals(before));
    assert.ok(existsSync(join(root, 'stage', canonicalRoot, 'prefix/lib/libasserting.so')));
  });

  test('a work folder that cannot be compiled in is refused only where steps would see it', async () => {
    const { exitStatus, errors } = eventsOf(await vbuild({ work: 'with blank', args: ['asserting'], padded: true }));
    assert.equal(exitStatus, 2);
    assert.equal(errors[0]?.headline, 'Path of the work folder cannot be compiled in');
    assert.match(errors[0].mend, /namespace/);
    insistOnSuccess(await vbuild({ work: 'with blank', args: ['asserting'] }));
  });
});
