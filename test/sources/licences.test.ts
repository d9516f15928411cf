import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { licenceIds } from '../../src/sources/licence-ids.ts';
import { licenceTexts } from '../../src/sources/licences.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { checkout } from '../support/vbuild.ts';

/** What Debian's base system keeps in one place because so many packages have it. */
const common: Readonly<Record<string, string>> = {
  'Apache-2.0': 'Apache-2.0',
  Artistic: 'Artistic-1.0-Perl',
  BSD: 'BSD-3-Clause',
  'CC0-1.0': 'CC0-1.0',
  'GFDL-1.2': 'GFDL-1.2',
  'GFDL-1.3': 'GFDL-1.3',
  'GPL-1': 'GPL-1.0',
  'GPL-2': 'GPL-2.0',
  'GPL-3': 'GPL-3.0',
  'LGPL-2': 'LGPL-2.0',
  'LGPL-2.1': 'LGPL-2.1',
  'LGPL-3': 'LGPL-3.0',
  'MPL-1.1': 'MPL-1.1',
  'MPL-2.0': 'MPL-2.0',
};

test('licenceIds() knows every licence text of the base system', () => {
  for (const [name, id] of Object.entries(common))
    assert.deepEqual(licenceIds(readFileSync(join('/usr/share/common-licenses', name), 'latin1')), [id], name);
});

test('licenceIds() finds in the packages of npm that this project uses what they say of themselves', () => {
  const found = globSync('node_modules/{*,@*/*}/package.json', { cwd: checkout }).flatMap((file) => {
    const top = dirname(join(checkout, file));
    const { name, license } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as Record<string, string>;
    const text = readdirSync(top).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
    // Of two licences some bring the text of one, and some bring the texts of what they bundle.
    if (
      text === undefined ||
      license === undefined ||
      / /.test(license) ||
      /^(postject|node-linux-.*)$/.test(name ?? '')
    )
      return [];
    return [{ name, says: license, found: licenceIds(readFileSync(join(top, text), 'latin1')).join(' ') }];
  });
  assert.ok(found.length > 50, `${found.length}`);
  assert.deepEqual(
    found.filter((one) => one.says !== one.found),
    [],
  );
});

const bsd = (conditions: string): string => `Redistribution and use in source and binary forms are permitted:
  * Redistributions of source code must retain the above
    copyright notice, this list of conditions.
${conditions}`;

for (const [what, text, ids] of [
  ['two conditions', bsd(''), ['BSD-2-Clause']],
  ['three conditions', bsd('Neither the name of the site nor the names of its makers may be used'), ['BSD-3-Clause']],
  [
    'four conditions',
    bsd('All advertising materials mentioning features of this\nsoftware must say so'),
    ['BSD-4-Clause'],
  ],
  ['two texts', bsd('') + bsd('Neither the name of the site'), ['BSD-2-Clause', 'BSD-3-Clause']],
] as const)
  test(`licenceIds() tells the BSD licences apart: ${what}`, () => assert.deepEqual(licenceIds(text), ids));

test('licenceIds() does not guess', () => {
  for (const text of [
    '',
    'All rights reserved.',
    'This program may be used under the GPL, the MIT license or BSD terms.',
  ])
    assert.deepEqual(licenceIds(text), []);
});

test('licenceTexts() finds texts by their names, tells those of the package from those of its parts, and reads no programs', (t) => {
  const tree = tempDir(t, 'licences');
  const zlib =
    'must not be misrepresented as being the original software.\n3. This notice may not be removed or altered from any source distribution.';
  writeTree(tree, {
    LICENSE: zlib,
    'COPYING.LESSER': 'x',
    'docs/FTL.TXT': 'The FreeType Project LICENSE',
    'LICENSES/MIT.txt': 'x',
    'src/part/License.md': zlib,
    'src/part/licenses/x.txt': 'x',
    'tools/update-copyright': '#!/bin/sh',
    'src/license.c': 'int main;',
    'src/copyright.h': 'x',
    'LICENSE.png': 'x',
    NOTICE: Buffer.from([0, 1]),
    README: zlib,
    licensed: 'x',
  });
  assert.deepEqual(
    licenceTexts(tree).map(({ path, ids, isOwn }) => [path, ids.join(' '), isOwn]),
    [
      ['COPYING.LESSER', '', true],
      ['LICENSE', 'Zlib', true],
      ['LICENSES/MIT.txt', '', true],
      ['docs/FTL.TXT', 'FTL', true],
      ['src/part/License.md', 'Zlib', false],
      ['src/part/licenses/x.txt', '', false],
    ],
  );
});
