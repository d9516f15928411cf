/** Traps that C packages lay: libraries that land elsewhere, the caller's variables, the host's headers, paths and dates in the bytes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { autotools } from '../../src/compile/autotools.ts';
import { cmake } from '../../src/compile/cmake.ts';
import { make } from '../../src/compile/make.ts';
import { meson } from '../../src/compile/meson.ts';
import { type Recipe, place } from '../../src/compile/recipe.ts';
import { steps } from '../../src/compile/steps.ts';
import { VbuildError } from '../../src/model/error.ts';
import { walk } from '../../src/system/files.ts';
import type { Tree } from '../support/temp.ts';
import { compile, exportToCaller, unlessThere } from './compiled.ts';

/** What a hostile or careless caller may have exported. */
const callers = {
  CFLAGS: '-O0 -DCALLER',
  CPPFLAGS: '-DCALLER -I/caller',
  LDFLAGS: '-L/caller',
  LIBS: '-lnosuch',
  CC: '/caller/cc',
  LD_RUN_PATH: '/caller/lib',
  CONFIG_SITE: '/caller/config.site',
  MAKEFLAGS: 'e -- CFLAGS=-DCALLER PREFIX=/caller',
  ac_cv_func_malloc: 'no',
  CMAKE_GENERATOR: 'Ninja',
  CMAKE_BUILD_TYPE: 'Debug',
  CMAKE_TOOLCHAIN_FILE: '/caller/toolchain.cmake',
  CMAKE_C_COMPILER_LAUNCHER: '/caller/ccache',
  CMAKE_EXPORT_COMPILE_COMMANDS: 'ON',
  CMAKE_PREFIX_PATH: '/caller',
  PKG_CONFIG_PATH: '/caller/pkgconfig',
  CPATH: '/caller/include',
  LIBRARY_PATH: '/caller/lib',
  DESTDIR: '/caller/destdir',
};

const source = `#include <assert.h>
#ifdef CALLER
#error the caller leaked in
#endif
const char *probe_day(void) { return __DATE__; }
int probe(int x) { assert(x > 0); return x; }
`;

/** Written by hand, and no worse than many: takes its flags from the environment, as zlib's does. */
const byHand: Tree = {
  'probe.c': source,
  Makefile:
    'libprobe.so: probe.c\n\t$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $(CURDIR)/probe.c $(LDFLAGS)\ninstall: libprobe.so\n\tinstall -D -m 755 libprobe.so $(DESTDIR)$(PREFIX)/lib/libprobe.so\n',
};
const byHandRecipe = make({ variables: { PREFIX: place.prefix } });

const withCmake: Tree = {
  'probe.c': source,
  'CMakeLists.txt': `cmake_minimum_required(VERSION 3.10)
project(probe C)
# An install-dirs module of its own: PATH makes an untyped value absolute against the current folder.
set(CMAKE_INSTALL_LIBDIR "lib64" CACHE PATH "where libraries go")
option(WITH_THING "a thing" OFF)
add_library(probe SHARED probe.c)
add_executable(tool main.c)
target_link_libraries(tool probe)
install(TARGETS probe DESTINATION \${CMAKE_INSTALL_LIBDIR})
install(TARGETS tool DESTINATION bin)
`,
  'main.c': 'int probe(int);\nint main(void) { return probe(1) - 1; }\n',
};

const autotoolsTree = {
  'configure.ac':
    'AC_INIT([probe], [1])\nAM_INIT_AUTOMAKE([foreign subdir-objects])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n',
  'Makefile.am':
    'AM_CFLAGS = -fPIC\nAM_LDFLAGS = -shared\nplugindir = $(libdir)\nplugin_PROGRAMS = libprobe.so\nlibprobe_so_SOURCES = probe.c\n',
  'probe.c': source,
} satisfies Tree;
const needAutotools = unlessThere('autoconf', 'automake', 'libtool');
const needCmake = unlessThere('cmake');
const needMeson = unlessThere('meson', 'ninja');

/** The same package as its authors would publish it, with configure and all; made once, as autoreconf takes seconds. */
const published: Tree = needAutotools === false ? await publish() : {};

async function publish(): Promise<Tree> {
  const recipe = steps([
    { group: 'prepare', run: ['autoreconf', '--install', '--force'] },
    { group: 'prepare', run: 'rm -rf autom4te.cache' },
  ]);
  const { tree } = await compile({ after }, { recipe, tree: autotoolsTree });
  const shipped = walk(tree).filter(({ type }) => type !== 'directory');
  return Object.fromEntries(
    shipped.map(({ path, mode }) => [path, { text: readFileSync(join(tree, path), 'utf8'), mode: mode & 0o777 }]),
  );
}

const packages: readonly (readonly [name: string, recipe: Recipe, tree: Tree, skip: string | false])[] = [
  ['a makefile written by hand', byHandRecipe, byHand, false],
  ['a CMake package', cmake(), withCmake, needCmake],
  ['an autotools package', autotools(), published, needAutotools],
  [
    'a Meson package',
    meson(),
    { 'meson.build': "project('probe', 'c')\nshared_library('probe', 'probe.c', install: true)\n", 'probe.c': source },
    needMeson,
  ],
];
for (const [name, recipe, tree, skip] of packages) {
  test(`${name}: everything is staged below the prefix, and neither the work folder nor this day is compiled in`, {
    skip,
  }, async (t) => {
    const { files, prefix, root, staged } = await compile(t, { recipe, tree });
    assert.ok(files.includes(`${prefix}/lib/libprobe.so`), files.join('\n'));
    assert.deepEqual(
      files.filter((file) => !file.startsWith(`${prefix}/`) || file.endsWith('.a')),
      [],
    );
    const bytes = readFileSync(join(staged, 'lib/libprobe.so'), 'latin1');
    assert.ok(bytes.includes('Jan  1 2020'));
    for (const trace of [`${root}/tree`, `${root}/build`, '.debug_info']) assert.ok(!bytes.includes(trace), trace);
  });

  test(`${name}: what the caller has exported changes no byte, and neither does the work folder`, {
    skip,
  }, async (t) => {
    const clean = await compile(t, { recipe, tree });
    exportToCaller(t, callers);
    const other = await compile(t, { recipe, tree, jobs: 1 });
    const programs = walk(clean.staged).filter(({ path, type }) => type === 'file' && /^bin\/|\.so/.test(path));
    assert.ok(programs.length > 0);
    for (const { path } of programs) assert.ok(withoutPlace(other, path) === withoutPlace(clean, path), path);
  });
}

/** All bytes of a file, save that the prefix, which is of one length in all of these builds, is a symbol. */
const withoutPlace = (built: { readonly staged: string; readonly prefix: string }, path: string): string =>
  readFileSync(join(built.staged, path), 'latin1').replaceAll(built.prefix, place.prefix);

test('the libdir trap is real: without its type the libraries would land outside the prefix', {
  skip: needCmake,
}, async (t) => {
  const { files, prefix } = await compile(t, {
    recipe: cmake({ configure: ['-UCMAKE_INSTALL_LIBDIR', '-DCMAKE_INSTALL_LIBDIR=lib'] }),
    tree: withCmake,
  });
  assert.ok(files.some((file) => !file.startsWith(`${prefix}/`)));
});

test('no program of a CMake package keeps the build folder in the bytes of its run path', {
  skip: needCmake,
}, async (t) => {
  const { staged, root, prefix } = await compile(t, { recipe: cmake(), tree: withCmake });
  const bytes = readFileSync(join(staged, 'bin/tool'), 'latin1');
  assert.ok(bytes.includes(`${prefix}/lib`));
  assert.ok(!bytes.includes(`${root}/build`));
});

test('an option that a CMake package does not read is an error that names it', { skip: needCmake }, async (t) => {
  const recipe = cmake({ configure: ['-DWITH_THING=ON', '-DWITH_THNIG=ON'] });
  await assert.rejects(compile(t, { recipe, tree: withCmake }), lost('-DWITH_THNIG=ON'));
});

test('an option that configure does not know is an error that names it', { skip: needAutotools }, async (t) => {
  const recipe = autotools({ configure: ['--disable-option-nosuch', '--sysconfdir=/etc'] });
  await assert.rejects(compile(t, { recipe, tree: published }), lost('--disable-option-nosuch'));
});

/** Whether an error says that exactly these options have no effect. */
const lost =
  (options: string) =>
  (error: unknown): boolean =>
    error instanceof VbuildError && error.code === 'step-failed' && error.facts['options'] === options;

test('a site file that a dependency installs does not configure its dependents', { skip: needAutotools }, async (t) => {
  const prefix = { 'share/config.site': 'CFLAGS=-DCALLER\nplugindir=/caller/lib\n' };
  const { files, prefix: top } = await compile(t, { recipe: autotools(), tree: published, prefix });
  assert.ok(files.includes(`${top}/lib/libprobe.so`));
});

test('a macro file that a dependency installs is found by autoreconf', { skip: needAutotools }, async (t) => {
  const prefix = { 'share/aclocal/dep.m4': 'AC_DEFUN([DEP_INIT], [AC_MSG_NOTICE([the macro of dep])])\n' };
  const configure = autotoolsTree['configure.ac'].replace('AC_PROG_CC', 'AC_PROG_CC\nDEP_INIT');
  const { log } = await compile(t, {
    recipe: autotools({ autoreconf: true }),
    tree: { ...autotoolsTree, 'configure.ac': configure },
    prefix,
  });
  assert.match(log, /configure: the macro of dep/);
});

test('make never calls autotools of its own accord in a patched tree, as all files have one time', {
  skip: needAutotools,
}, async (t) => {
  const patched = { ...published, 'configure.ac': `${autotoolsTree['configure.ac']}# patched\n` };
  const { log } = await compile(t, { recipe: autotools(), tree: patched });
  assert.doesNotMatch(log, /aclocal-|automake-|config\.status --recheck/);
  const control = await compile(t, {
    recipe: autotools({ before: ['touch -d 2021-01-01 configure.ac'] }),
    tree: patched,
  });
  assert.match(control.log, /automake-|aclocal-/);
});

/** A dependency whose header and library exist on the host too, under names that every compiler finds. */
const ours = { 'include/math.h': '#pragma GCC system_header\n#define OURS 1\n#include_next <math.h>\n' };

test('headers of the prefix are taken before those of the host, by makefiles, configure and CMake alike', {
  skip: needAutotools || needCmake,
}, async (t) => {
  const probe =
    '#include <math.h>\n#ifndef OURS\n#error the header of the host was taken\n#endif\nint probe(void) { return 0; }\n';
  await compile(t, { recipe: byHandRecipe, tree: { ...byHand, 'probe.c': probe }, prefix: ours });
  await compile(t, { recipe: autotools(), tree: { ...published, 'probe.c': probe }, prefix: ours });
  const finds = `cmake_minimum_required(VERSION 3.10)\nproject(probe C)\nfind_path(DIR math.h)\ninclude_directories(BEFORE \${DIR})\nadd_library(probe SHARED probe.c)\ninstall(TARGETS probe DESTINATION lib)\n`;
  const built = await compile(t, {
    recipe: cmake(),
    tree: { 'CMakeLists.txt': finds, 'probe.c': probe },
    prefix: ours,
  });
  assert.match(
    readFileSync(join(built.root, 'build/CMakeCache.txt'), 'utf8'),
    new RegExp(`^DIR:PATH=${built.prefix}/include$`, 'm'),
  );
});

test('pkg-config sees the prefix and nothing of the host', { skip: unlessThere('pkg-config') }, async (t) => {
  const prefix = {
    'lib/pkgconfig/ours.pc': 'Name: ours\nDescription: x\nVersion: 7\n',
    'share/pkgconfig/shared.pc': 'Name: s\nDescription: x\nVersion: 8\n',
  };
  const recipe = make({
    configure: ['sh', '-c', 'pkg-config --modversion ours shared; pkg-config --list-all | wc -l'],
    install: [],
  });
  const { log } = await compile(t, { recipe, tree: { Makefile: 'all:\n' }, prefix });
  assert.match(log, /^7\n8\n2$/m);
});

test("git, asked for a version in the tree, does not answer with the project's around the work folder", async (t) => {
  const recipe = make({
    configure: [
      'sh',
      '-c',
      'mkdir -p ../.git/refs ../.git/objects; echo ref: refs/heads/x > ../.git/HEAD; git rev-parse --git-dir || echo none',
    ],
    install: [],
  });
  const { log } = await compile(t, { recipe, tree: { Makefile: 'all:\n' } });
  assert.match(log, /^none$/m);
});
