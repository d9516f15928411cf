/** Which licences a text holds, told by words that stand in no other one; what is not in the table is not guessed (pure). */

/** SPDX identifiers, each with words of its text: small letters and digits, one blank for everything between them. */
const told: readonly (readonly [id: string, words: string])[] = [
  ['0BSD', 'with or without fee is hereby granted the software is provided as is and'],
  ['AFL-3.0', 'academic free license afl v 3 0'],
  ['AGPL-3.0', 'gnu affero general public license version 3 19 november 2007'],
  ['Apache-2.0', 'apache license version 2 0 january 2004'],
  ['Artistic-1.0', 'the artistic license preamble'],
  ['Artistic-1.0-Perl', 'aggregation of this package with a commercial distribution is always permitted'],
  ['Artistic-2.0', 'the artistic license 2 0'],
  ['BlueOak-1.0.0', 'blue oak model license version 1 0 0'],
  ['BSL-1.0', 'boost software license version 1 0'],
  ['bzip2-1.0.6', 'misrepresented as being the original software 4 the name of the author may not be used'],
  ['CC0-1.0', 'cc0 1 0 universal'],
  ['CDDL-1.0', 'common development and distribution license cddl version 1 0'],
  ['curl', 'particular purpose and noninfringement of third party rights in no event shall the authors'],
  ['EPL-1.0', 'eclipse public license v 1 0'],
  ['EPL-2.0', 'eclipse public license v 2 0'],
  ['FTL', 'the freetype project license'],
  ['GFDL-1.2', 'gnu free documentation license version 1 2 november 2002'],
  ['GFDL-1.3', 'gnu free documentation license version 1 3 3 november 2008'],
  ['GPL-1.0', 'gnu general public license version 1 february 1989'],
  ['GPL-2.0', 'gnu general public license version 2 june 1991'],
  ['GPL-3.0', 'gnu general public license version 3 29 june 2007'],
  ['HPND', 'for any purpose and without fee is hereby granted provided that the above copyright notice appear'],
  ['ICU', 'icu license icu 1 8 1 and later'],
  ['IJG', 'ijg independent jpeg group license'],
  ['IJG', 'make no warranty or representation either express or implied with respect to this software its quality'],
  ['ISC', 'notice and this permission notice appear in all copies the software is provided as is and'],
  ['LGPL-2.0', 'gnu library general public license version 2 june 1991'],
  ['LGPL-2.1', 'gnu lesser general public license version 2 1 february 1999'],
  ['LGPL-3.0', 'gnu lesser general public license version 3 29 june 2007'],
  ['Libpng', 'png reference library license version 1'],
  ['Libpng', 'this copy of the libpng notices is provided for your convenience'],
  ['libpng-2.0', 'png reference library license version 2'],
  ['libtiff', 'the names of sam leffler and silicon graphics may not be used in any advertising or publicity'],
  ['MIT', 'to deal in the software without restriction including without limitation the rights to use copy modify'],
  ['MIT-CMU', 'by obtaining using and or copying this software and or its associated documentation you agree'],
  ['MPL-1.1', 'mozilla public license version 1 1'],
  ['MPL-2.0', 'mozilla public license version 2 0'],
  ['OFL-1.1', 'sil open font license version 1 1 26 february 2007'],
  ['OpenSSL', 'developed by the openssl project for use in the openssl toolkit'],
  ['PSF-2.0', 'python software foundation license version 2'],
  ['Unicode-3.0', 'unicode license v3'],
  ['Unlicense', 'this is free and unencumbered software released into the public domain'],
  ['WTFPL', 'do what the fuck you want to public license'],
  ['X11', 'without prior written authorization from the x consortium'],
  ['Zlib', 'misrepresented as being the original software 3 this notice may not be removed or altered from any'],
];

/** Words of the first licence that stand in the text of the second one as well, where they do not count. */
const borrowed: Readonly<Record<string, string>> = {
  'Artistic-1.0': 'Artistic-1.0-Perl',
  HPND: 'MIT-CMU',
  IJG: 'FTL',
  MIT: 'X11',
};

/**
 * The SPDX identifiers of the licences that a text holds, each once, in code-unit order. Whether a GNU licence holds in one version
 * only or in later ones too is said in sources and not in its text: the identifier says neither.
 */
export function licenceIds(text: string): string[] {
  const words = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, ' ');
  const found = new Set([...told.flatMap(([id, own]) => (words.includes(own) ? [id] : [])), ...bsd(words)]);
  for (const [inner, outer] of Object.entries(borrowed)) if (found.has(outer)) found.delete(inner);
  return [...found].sort();
}

/** The BSD licences are one text with more conditions or fewer. */
function bsd(words: string): string[] {
  const texts = words.split('redistributions of source code must retain the above copyright').slice(1);
  return texts.map((conditions) => {
    if (conditions.includes('all advertising materials mentioning features')) return 'BSD-4-Clause';
    return /\bneither the names? |\bnor the names? |may not be used to endorse/.test(conditions)
      ? 'BSD-3-Clause'
      : 'BSD-2-Clause';
  });
}
