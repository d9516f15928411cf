import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoreconfWarning } from '../../src/compile/autoreconf.ts';
import { autotools } from '../../src/compile/autotools.ts';
import { cmake } from '../../src/compile/cmake.ts';
import { make } from '../../src/compile/make.ts';
import type { Recipe } from '../../src/compile/recipe.ts';
import { steps } from '../../src/compile/steps.ts';

const byHand: Recipe = steps([{ group: 'configure', run: ['./configure'] }]);
const inShell: Recipe = steps([{ group: 'configure', run: 'CC=cc ./configure --x' }]);

const rows: readonly (readonly [
  title: string,
  recipe: Recipe,
  touched: readonly string[],
  files: string | undefined,
])[] = [
  ['configure.ac is touched', autotools(), ['src/a.c', 'configure.ac'], 'configure.ac'],
  [
    'several inputs are touched',
    autotools(),
    ['m4/x.m4', 'lib/Makefile.am', 'configure.in'],
    'configure.in, lib/Makefile.am, m4/x.m4',
  ],
  ['aclocal.m4 alone is touched', autotools(), ['aclocal.m4'], 'aclocal.m4'],
  ['plain steps run configure', byHand, ['configure.ac'], 'configure.ac'],
  ['a shell line runs configure', inShell, ['configure.ac'], 'configure.ac'],
  ['the recipe runs autoreconf', autotools({ autoreconf: true }), ['configure.ac'], undefined],
  ['only code is touched', autotools(), ['src/a.c', 'src/configure.ac.c', 'Makefile.in'], undefined],
  [
    'the made files are in the patches too',
    autotools(),
    ['configure.ac', 'configure', 'lib/Makefile.am', 'lib/Makefile.in', 'm4/x.m4'],
    undefined,
  ],
  ['the recipe never uses configure', cmake(), ['configure.ac'], undefined],
  ['configure is written by hand', make({ configure: ['./configure'] }), ['contrib/configure.ac'], undefined],
];
for (const [title, recipe, touched, files] of rows) {
  test(`autoreconfWarning() ${files === undefined ? 'is silent' : 'warns'} when ${title}`, () => {
    assert.equal(autoreconfWarning(recipe, touched)?.facts['files'], files);
  });
}
