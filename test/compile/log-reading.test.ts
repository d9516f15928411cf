import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advice, firstError, lastLines, lostOptions } from '../../src/compile/log-reading.ts';

const rows: readonly (readonly [title: string, output: string, error: string | undefined])[] = [
  [
    "the compiler's first error, not make's last word",
    "gcc -c a.c\na.c:3:5: warning: unused\na.c:7:1: error: expected ';'\na.c:9:1: error: second\nmake: *** [Makefile:2: a.o] Error 1\n",
    "a.c:7:1: error: expected ';'",
  ],
  [
    'a missing header',
    'x/b.c:1:10: fatal error: zlib.h: No such file or directory\n',
    'x/b.c:1:10: fatal error: zlib.h: No such file or directory',
  ],
  [
    'what nasm says',
    'simd/a.asm:12: error: parser: instruction expected\n',
    'simd/a.asm:12: error: parser: instruction expected',
  ],
  ['what configure says', 'checking for x... no\nconfigure: error: x is needed\n', 'configure: error: x is needed'],
  [
    'the text of a message of CMake',
    '-- Looking\nCMake Error at CMakeLists.txt:3 (message):\n  SIMD is required\n\nmore\n',
    'CMake Error at CMakeLists.txt:3 (message): SIMD is required',
  ],
  [
    'a symbol that the linker misses',
    "/usr/bin/ld: a.o: in function `f':\na.c:(.text+0x5): undefined reference to `g'\n",
    "a.c:(.text+0x5): undefined reference to `g'",
  ],
  [
    'a library that the linker misses',
    '/usr/bin/ld: cannot find -lz: No such file or directory\n',
    '/usr/bin/ld: cannot find -lz: No such file or directory',
  ],
  ['a program that is not there', 'step: 1: exec: nosuch: not found\n', 'step: 1: exec: nosuch: not found'],
  [
    'how a Python program ended',
    'Traceback (most recent call last):\n  File "setup.py"\n__main__.RequiredDependencyException: jpeg\n',
    '__main__.RequiredDependencyException: jpeg',
  ],
  [
    'a target that make has no rule for',
    "make: *** No rule to make target 'x'.  Stop.\n",
    "make: *** No rule to make target 'x'.  Stop.",
  ],
  [
    'the source that the compiler shows, and no more',
    "a.c: In function 'f':\na.c:7:10: error: bad\n    7 |   return bad;\n      |          ^~~\na.c:7:10: note: once\n",
    'a.c:7:10: error: bad\n    7 |   return bad;\n      |          ^~~',
  ],
  [
    'what meson says of a tree elsewhere',
    'Found x\n../tree/meson.build:2:0: ERROR: Dependency "x" not found\n',
    '../tree/meson.build:2:0: ERROR: Dependency "x" not found',
  ],
  [
    'a compiler that was killed, before what make makes of it',
    'gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.\nmake: *** [Makefile:4: a.o] Error 1\n',
    'gcc: fatal error: Killed signal terminated program cc1',
  ],
  [
    'the target that make gave up on, not that it waits for others',
    'make: *** Waiting for unfinished jobs....\nmake: *** [Makefile:4: a.o] Error 1\n',
    'make: *** [Makefile:4: a.o] Error 1',
  ],
  [
    'what GNU as says',
    "a.S: Assembler messages:\na.S:3: Error: no such instruction: `foo'\nmake: *** [Makefile:4: a.o] Error 1\n",
    "a.S:3: Error: no such instruction: `foo'",
  ],
  [
    'what a compiler says in colours, without them',
    '\u001b[01m\u001b[Ka.c:7:10:\u001b[m\u001b[K \u001b[01;31m\u001b[Kerror: \u001b[m\u001b[Kbad [\u001b]8;;https://x/W\u0007-Wx\u001b]8;;\u0007]\n    7 | \u001b[32mx\u001b[m\nmake: *** [Makefile:4: a.o] Error 1\n',
    'a.c:7:10: error: bad [-Wx]\n    7 | x',
  ],
  ['nothing where nobody complained', 'all is well\n-- error handling: on\n', undefined],
];
for (const [title, output, error] of rows) {
  test(`firstError() gives ${title}`, () => {
    assert.equal(firstError(output), error);
  });
}

const remedies: readonly (readonly [found: string, mend: RegExp])[] = [
  ['b.c:1:10: fatal error: png.h: No such file or directory', /package that has png\.h in deps/],
  ['/usr/bin/ld: cannot find -lpng16: No such file or directory', /package that has libpng16 in deps/],
  ["a.c:(.text+0x5): undefined reference to `deflate'", /library that has deflate/],
  ["ModuleNotFoundError: No module named 'flit_core'", /Python module flit_core/],
  ['bash: line 1: nasm: command not found', /Debian package that has nasm/],
  ['gcc: fatal error: Killed signal terminated program cc1', /memory ran out/],
  ['\nSIGSEGV', /repeat the step alone/],
  ['configure: error: x is needed', /its own log/],
  ["make: *** No rule to make target 'instal'.  Stop.", /in place of instal$/],
  ["a.c:7:1: error: expected ';'", /^read the log; /],
];
for (const [found, mend] of remedies) {
  test(`advice() knows what to try after ${JSON.stringify(found)}`, () => {
    assert.match(advice(found), mend);
  });
}

test('lastLines() leaves empty lines out', () => {
  assert.equal(lastLines('a\n\nb\n  \nc\n\n', 2), 'b\nc');
});

test('lostOptions() finds the options that configure does not know, save the standard ones', () => {
  const output = 'configure: WARNING: unrecognized options: --with-foo, --disable-static, --enable-bar\nchecking\n';
  const run = ['./configure', '--disable-static', '--with-foo=/x,y', '--enable-bar', '--with-good'];
  assert.deepEqual(lostOptions(run, output), ['--with-foo=/x,y', '--enable-bar']);
});

test('lostOptions() finds the variables that nothing in a CMake project reads, save the standard ones', () => {
  const output =
    'CMake Warning:\n  Manually-specified variables were not used by the project:\n\n    BUILD_SHARED_LIBS\n    WITH_SIMDD\n\n\n-- Build files\n';
  const run = ['cmake', '-DBUILD_SHARED_LIBS=ON', '-DWITH_SIMDD:BOOL=ON', '-DWITH_JAVA=OFF'];
  assert.deepEqual(lostOptions(run, output), ['-DWITH_SIMDD:BOOL=ON']);
});

test('lostOptions() is empty where nobody complained', () => {
  assert.deepEqual(lostOptions(['./configure', '--with-x'], 'checking\n'), []);
});
