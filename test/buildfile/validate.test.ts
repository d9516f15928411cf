import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BuildOptions,
  type Package,
  type PackageOptions,
  defineBuild,
  definePackage,
  definitionOf,
} from '../../src/buildfile/package.ts';
import { validate } from '../../src/buildfile/validate.ts';
import { type SourceSpec, autotools, debian, git, mirror, python, s3, steps, tarball } from '../../src/index.ts';
import { sourceKinds } from '../../src/sources/index.ts';
import { VbuildErrors } from '../../src/model/error.ts';
import { reservedNames } from '../../src/model/reserved-names.ts';
import { buildfile, outline, problems, read } from './buildfiles.ts';

const good = { version: '1', source: debian('zlib'), recipe: autotools() } as const;
/** A package of any content, as untyped code could give it. */
const pack = (name: unknown, options: unknown = {}): Package =>
  definePackage(
    name as string,
    (typeof options === 'object' && options !== null && !Array.isArray(options)
      ? { ...good, ...options }
      : options) as PackageOptions,
  );
const build = (options: unknown) => defineBuild(options as BuildOptions);

/** All problems of a build; none when it is taken. */
function refusals(options: unknown) {
  try {
    validate(build(options));
    return [];
  } catch (thrown) {
    if (thrown instanceof VbuildErrors) return thrown.errors;
    throw thrown;
  }
}

test('validate() gives everything reachable, in the order of definition, with defaults and cache filled in', () => {
  const zlib = pack('zlib');
  const generator = pack('generator', { buildDeps: [zlib] });
  const unused = pack('unused');
  const pil = pack('pil', { deps: [zlib], buildDeps: [generator] });
  assert.deepEqual(validate(build({ packages: [pil] })), {
    packages: [zlib, generator, pil],
    defaults: [pil],
    cache: [],
    mirrors: [],
  });
  const mirrors = [mirror('https://example.org/', { to: 'mirror' })];
  const cache = [s3({ bucket: 'vendor' })];
  assert.deepEqual(validate(build({ packages: [unused, pil], defaults: [zlib], cache, mirrors })), {
    packages: [zlib, generator, unused, pil],
    defaults: [zlib],
    cache,
    mirrors,
  });
});

test('packages are plain data, with the place of their definition kept aside', () => {
  const zlib = pack('zlib');
  assert.deepEqual(Reflect.ownKeys(zlib), ['version', 'source', 'recipe', 'name']);
  assert.equal(JSON.stringify(zlib), JSON.stringify({ ...good, name: 'zlib' }));
  assert.equal(definitionOf(zlib)?.file, import.meta.filename);
});

test('a package can be made from another one with some options changed', () => {
  const old = pack('pil', { version: '11' });
  const next = definePackage('pil', { ...old, version: '12' });
  assert.deepEqual(validate(build({ packages: [old, next], defaults: [old] })).packages, [old, next]);
});

test('every reserved name is refused as the name of a package', () => {
  for (const name of reservedNames) {
    const [problem, ...others] = refusals({ packages: [pack(name)] });
    assert.deepEqual(
      [problem?.message, problem?.facts['found'], others],
      ['Package bears the name of a command', `"${name}"`, []],
    );
  }
});

const names: readonly (readonly [name: unknown, mend: string | undefined])[] = [
  ['libjpeg-turbo', undefined],
  ['gtk+3.0', undefined],
  ['7zip', undefined],
  ['Zlib', "write 'zlib'"],
  ['lib jpeg', "write 'lib-jpeg'"],
  ['lib_png', "write 'lib-png'"],
  ['../zlib', 'write the name with these letters'],
  ['-zlib', 'write the name with these letters'],
  ['zlib@1', 'write the name with these letters'],
  ['', 'write the name with these letters'],
  [undefined, 'give the name as the first argument of definePackage()'],
  [{ version: '1' }, 'give the name as the first argument of definePackage()'],
];
test('the name of a package has a spelling', () => {
  for (const [name, mend] of names)
    assert.deepEqual(
      refusals({ packages: [pack(name)] }).map((one) => one.mend),
      mend === undefined ? [] : [mend],
      String(name),
    );
});

const options: readonly {
  readonly given: Record<string, unknown>;
  readonly option: string;
  readonly message?: string;
  readonly expected?: RegExp;
  readonly found?: string;
  readonly mend?: RegExp;
}[] = [
  { given: { version: 3 }, option: 'version', found: 'a number (3)' },
  { given: { version: '1.0/..' }, option: 'version', found: '"1.0/.."' },
  { given: { version: '' }, option: 'version' },
  { given: { version: undefined }, option: 'version', message: 'Option is missing', mend: /add version/ },
  { given: { source: undefined }, option: 'source', message: 'Option is missing' },
  { given: { recipe: undefined }, option: 'recipe', message: 'Option is missing' },
  { given: { patchs: 'patches' }, option: 'patchs', message: 'Option is unknown', mend: /^write patches$/ },
  { given: { zzzzzz: 1 }, option: 'zzzzzz', message: 'Option is unknown', mend: /leave it out/ },
  { given: { source: 'https://example.org/a.tar.gz' }, option: 'source', expected: /tarball\(\), git\(\)/ },
  { given: { source: { kind: 'hg' } }, option: 'source' },
  { given: { source: tarball }, option: 'source', found: 'a function (tarball)', mend: /call it/ },
  { given: { source: tarball('a.tar.gz', { sha256: 'abc' }) }, option: 'source', expected: /sha256/ },
  { given: { source: git('https://example.org/a', {} as never) }, option: 'source', expected: /rev/ },
  {
    given: { source: tarball('a.tar.gz', { sha265: 'abc' } as never) },
    option: 'source.sha265',
    message: 'Option is unknown',
    mend: /^write sha256$/,
  },
  {
    given: { source: debian('zlib', { patchs: true } as never) },
    option: 'source.patchs',
    message: 'Option is unknown',
    mend: /^write patches$/,
  },
  {
    given: { source: tarball('a.tar.gz', { also: [{ from: 'b.tar.gz', into: 'b', sha265: 'abc' } as never] }) },
    option: 'source',
    expected: /^also\[0\]: sha265 is not an option; those are from, sha256/,
  },
  {
    given: { source: tarball('a.tar.gz', { signature: { keyring: 'a.asc', ulr: 'a.sig' } as never }) },
    option: 'source',
    expected: /^signature: ulr is not an option; those are keyring/,
  },
  { given: { patches: 3 }, option: 'patches', found: 'a number (3)' },
  { given: { patches: '' }, option: 'patches' },
  { given: { patches: ['a.patch', 3] }, option: 'patches[1]' },
  { given: { patches: [{ strip: 1 }] }, option: 'patches[0].file', message: 'Option is missing' },
  { given: { patches: [{ file: 'a.patch', strip: -1 }] }, option: 'patches[0].strip', found: 'a number (-1)' },
  {
    given: { patches: [{ file: 'a.patch', stripp: 1 }] },
    option: 'patches[0].stripp',
    message: 'Option is unknown',
    mend: /^write strip$/,
  },
  { given: { deps: 'zlib' }, option: 'deps', found: '"zlib"' },
  {
    given: { deps: ['zlip'] },
    option: 'deps[0]',
    message: 'A listed value is not a package',
    found: '"zlip"',
    mend: /definePackage\('zlib'/,
  },
  { given: { deps: ['quite-another'] }, option: 'deps[0]', mend: /define it: definePackage\('quite-another'/ },
  { given: { deps: [undefined] }, option: 'deps[0]', found: 'undefined', mend: /exported/ },
  { given: { buildDeps: [{ ...good, name: 'zlib' }] }, option: 'buildDeps[0]', mend: /definePackage/ },
  { given: { deps: [Promise.resolve()] }, option: 'deps[0]', found: 'a promise (await is missing)' },
  { given: { recipe: autotools }, option: 'recipe', found: 'a function (autotools)', mend: /autotools\(\)/ },
  { given: { recipe: 'autotools' }, option: 'recipe', expected: /autotools\(\)/ },
  { given: { recipe: autotools({ configur: [] } as never) }, option: 'recipe', expected: /configure/ },
  { given: { recipe: autotools({ tools: ['nasn' as never] }) }, option: 'recipe', found: 'nasn', mend: /^write nasm$/ },
  {
    given: { recipe: steps([{ group: 'build', run: 'make', timout: 3 } as never]) },
    option: 'recipe',
    expected: /^step 1 has the option timout, did you mean timeout$/,
    found: "[ { group: 'build', run: 'make', timout: 3 } ]",
  },
  { given: { tools: ['nasn'] }, option: 'tools[0]', expected: /cmake/, mend: /^write 'nasm'$/ },
  { given: { tools: 'nasm' }, option: 'tools' },
  { given: { tools: ['nasm', 'nasm'] }, option: 'tools', mend: /once/ },
  { given: { remove: ['/usr'] }, option: 'remove[0]' },
  { given: { remove: ['share/../../etc'] }, option: 'remove[0]' },
  { given: { remove: ['..'] }, option: 'remove[0]' },
  { given: { remove: [''] }, option: 'remove[0]' },
  { given: { hostLibraries: ['X11'] }, option: 'hostLibraries[0]' },
  { given: { hostLibraries: ['libX11.so.6', 'libX11.so.6'] }, option: 'hostLibraries' },
  { given: { strip: 'no' }, option: 'strip', expected: /true or false/ },
];
for (const { given, option, message = 'Option has a wrong value', expected, found, mend } of options) {
  test(`an option is refused: ${option} of ${JSON.stringify(given)}`, () => {
    const zlib = pack('zlib');
    const list = refusals({ packages: [zlib, pack('pil', given)] });
    assert.equal(list.length, 1, JSON.stringify(list.map(outline)));
    const problem = list[0];
    assert.ok(problem);
    assert.equal(problem.facts['option'], option);
    assert.equal(problem.message, /eps\[/.test(option) ? 'A listed value is not a package' : message);
    if (expected) assert.match(problem.facts['expected'] ?? '', expected);
    if (found) assert.equal(problem.facts['found'], found);
    if (mend) assert.match(problem.mend, mend);
    assert.equal(problem.where.package?.split('@')[0], 'pil');
  });
}

test('an option that a source does not have is refused, whatever its kind', () => {
  for (const { kind } of sourceKinds) {
    const source = { kind, rve: 'main' } as unknown as SourceSpec;
    const [first] = refusals({ packages: [pack('pil', { source })] });
    assert.equal(first?.message, 'Option is unknown');
    assert.equal(first.facts['option'], 'source.rve');
  }
});

test('options that are right are taken', () => {
  const zlib = pack('zlib', {
    version: '1.2.13+dfsg~rc1',
    patches: ['a.patch', { file: 'b.patch', strip: 0 }],
    tools: ['nasm'],
    remove: ['share/doc/**', 'lib/*.a', 'bin/..x'],
    hostLibraries: ['libX11.so.6', 'ld-linux-x86-64.so.2'],
    strip: false,
    deps: [],
    buildDeps: undefined,
    recipe: python({ env: { MAX_CONCURRENCY: '2' } }),
  });
  assert.deepEqual(refusals({ packages: [zlib] }), []);
});

test('options that are no options at all are refused, whatever they are', () => {
  for (const given of [null, 3, 'abc', [], () => 1]) {
    assert.deepEqual(
      refusals({ packages: [pack('pil', given)] }).map(({ facts }) => facts['option']),
      ['options'],
      String(given),
    );
  }
});

const builds: readonly (readonly [given: unknown, option: string, mend: RegExp])[] = [
  [undefined, 'options', /./],
  [{}, 'packages', /add packages/],
  [{ packages: [] }, 'packages', /./],
  [{ packages: pack('zlib') }, 'packages', /^write \[zlib\], in brackets$/],
  [{ packages: [pack('zlib')], default: [] }, 'default', /^write defaults$/],
  [{ packages: [pack('zlib')], defaults: ['zlib'] }, 'defaults[0]', /definePackage\('zlib', …\)/],
  [{ packages: [pack('zlib')], defaults: [pack('png')] }, 'defaults', /add png to packages/],
  [{ packages: [pack('zlib')], cache: 's3://vendor' }, 'cache', /./],
  [{ packages: [pack('zlib')], cache: ['s3://vendor'] }, 'cache[0]', /./],
  [{ packages: [pack('zlib')], cache: [s3({ bucket: 'Vendor' })] }, 'cache[0]', /./],
  [{ packages: [build({ packages: [] })] }, 'packages[0]', /./],
];
for (const [given, option, mend] of builds) {
  test(`a build is refused for ${option}: ${JSON.stringify(given)}`, () => {
    const list = refusals(given);
    assert.deepEqual(
      list.map(({ facts }) => facts['option']),
      [option],
    );
    assert.match(list[0]?.mend ?? '', mend);
    assert.equal(list[0]?.where.file, import.meta.filename);
  });
}

const rule = (given: unknown): unknown => ({ kind: 'mirror', ...(given as object) });
const mirrorLists: readonly (readonly [mirrors: unknown, mistakes: readonly string[]])[] = [
  [[], []],
  [[mirror('https://', { to: 'mirror' })], []],
  [[mirror('https://github.com/', { to: '/srv/git', when: 'after' })], []],
  [[mirror('git@github.com:', { to: 'ssh://git.example.org/' })], []],
  [[mirror('svn://svn.example.org/', { to: 'svn+ssh://mirror/svn' })], []],
  [[mirror('https://example.org/', { to: 's3://bucket/src', by: 'digest' })], []],
  ['https://example.org/', ['mirrors: a list of what mirror() returns']],
  [[{ from: 'https://example.org/', to: 'x' }], ['mirrors[0]: what mirror() returns']],
  [
    [mirror('https://github.com', { to: 'x' })],
    ["mirrors[0].from: the beginning of URLs … write 'https://github.com/'"],
  ],
  [[mirror('files/', { to: 'x' })], ['mirrors[0].from: the beginning of URLs …']],
  [[mirror('https://example.org/?x=/', { to: 'x' })], ['mirrors[0].from: the beginning of URLs …']],
  [[mirror('file:///srv/', { to: 'x' })], ['mirrors[0].from: a place on the net, not a file or a bucket']],
  [[rule({ from: 'https://example.org/' })], ['mirrors[0].to: from and to, and if need be when and by']],
  [[mirror('https://example.org/', { to: 's3://' })], ['mirrors[0].to: a bucket and if need be a folder in it …']],
  [[mirror('https://example.org/', { to: 's3://bucket/1%' })], ['mirrors[0].to: a URL, with % …']],
  [[mirror('https://example.org/', { to: 'file://server/share/' })], ['mirrors[0].to: a folder of this machine']],
  [[mirror('https://example.org/', { to: 'http://' })], ['mirrors[0].to: a URL, or a folder …']],
  [[mirror('https://example.org/', { to: 'ext::sh -c true' })], ['mirrors[0].to: a URL, or a folder …']],
  [[mirror('https://example.org/', { to: 'https://m.example/?key=' })], ['mirrors[0].to: a URL without a query']],
  [
    [mirror('https://example.org/', { to: 'git://m.example/', by: 'digest' })],
    ['mirrors[0].to: an http:, https:, s3: or file: URL …'],
  ],
  [
    [rule({ from: 7, to: '', wen: 'after', by: 'digests' })],
    [
      'mirrors[0].wen: one of from, to, when, by … write when',
      'mirrors[0].from: the beginning of URLs …',
      'mirrors[0].to: a URL, or a folder …',
      "mirrors[0].by: one of name, digest … write 'digest'",
    ],
  ],
  [
    [
      mirror('https://a/', { to: 'x' }),
      mirror('https://b/', { to: 'x' }),
      mirror('https://a/', { to: 'x', when: 'after' }),
    ],
    ['mirrors[2]: another beginning or another place'],
  ],
];
for (const [mirrors, mistakes] of mirrorLists) {
  test(`mirrors: ${mistakes.length === 0 ? 'takes' : 'lists what is wrong with'} ${JSON.stringify(mirrors)}`, () => {
    const found = refusals({ packages: [pack('zlib')], mirrors });
    assert.equal(found.length, mistakes.length, found.map(({ facts }) => JSON.stringify(facts)).join('\n'));
    for (const [at, mistake] of mistakes.entries()) {
      const { facts, mend, where } = found[at] as (typeof found)[number];
      assert.match(
        `${facts['option']}: ${facts['expected']} … ${mend}`,
        new RegExp(`^${mistake.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' …', '.*')}`),
      );
      assert.equal(where.file, import.meta.filename);
    }
  });
}

test('two packages of one name and version are refused with both places; two versions may stand side by side', async (t) => {
  const text = `import { autotools, debian, defineBuild, definePackage } from 'vbuild';
const zlib = (version: string) => ({ version, source: debian('zlib'), recipe: autotools() });
const one = definePackage('zlib', zlib('1.2'));
const two = definePackage('zlib', zlib('1.3'));
`;
  const path = buildfile(t, `${text}export default defineBuild({ packages: [one, two] });`);
  assert.deepEqual(
    (await read(path)).packages.map(({ name, version }) => [name, version]),
    [
      ['zlib', '1.2'],
      ['zlib', '1.3'],
    ],
  );
  const twice = buildfile(
    t,
    `${text}const again = definePackage('zlib', zlib('1.2'));\nexport default defineBuild({ packages: [one, two, again] });`,
  );
  assert.deepEqual((await problems(twice)).map(outline), [
    {
      code: 'buildfile-invalid',
      message: 'Two packages have one name and version',
      place: 'Buildfile.ts:5',
      package: 'zlib@1.2',
      expected: 'one definition of each name and version',
      found: `zlib@1.2, first defined at ${twice}:3`,
    },
  ]);
});

test('a cycle is refused with every package in it by name', () => {
  const deps: Package[] = [];
  const a = pack('a', { deps });
  const b = pack('b', { buildDeps: [a] });
  const c = pack('c', { deps: [b, a] });
  deps.push(b);
  const list = refusals({ packages: [c] });
  assert.deepEqual(
    list.map(({ message, facts }) => [message, facts['found']]),
    [['Packages depend on one another in a cycle', 'a@1 → b@1 → a@1']],
  );
  const self: Package[] = [];
  const s = pack('s', { deps: self });
  self.push(s);
  assert.deepEqual(
    refusals({ packages: [s] }).map(({ facts }) => facts['found']),
    ['s@1 → s@1'],
  );
});

test('two versions of one package that would meet in a prefix are refused once, with both ways to them', () => {
  const old = pack('zlib', { version: '1.2' });
  const next = pack('zlib', { version: '1.3' });
  const png = pack('png', { deps: [old] });
  const tiff = pack('tiff', { deps: [png, next] });
  const pil = pack('pil', { deps: [tiff, png] });
  const list = refusals({ packages: [pil] });
  assert.deepEqual(
    list.map(({ message, where, facts }) => [message, where.package, facts]),
    [
      [
        'Two versions of one package would lie in one prefix',
        'tiff@1',
        {
          expected: 'one version of zlib in a prefix with tiff@1',
          first: 'tiff@1 → zlib@1.3',
          second: 'tiff@1 → png@1 → zlib@1.2',
        },
      ],
    ],
  );
});

test('two versions that meet only in the private prefix that a package compiles against are refused too', () => {
  const old = pack('zlib', { version: '1.2' });
  const next = pack('zlib', { version: '1.3' });
  const generator = pack('generator', { deps: [old] });
  const list = refusals({ packages: [pack('png', { deps: [next], buildDeps: [generator] })] });
  assert.deepEqual(
    list.map(({ facts }) => facts),
    [
      {
        expected: 'one version of zlib in the private prefix that png@1 compiles against',
        first: 'png@1 → zlib@1.3',
        second: 'png@1 → generator@1 → zlib@1.2',
      },
    ],
  );
});

test('a package may be compiled with the help of another version of itself, but not need it', () => {
  const old = pack('compiler', { version: '1' });
  assert.deepEqual(refusals({ packages: [pack('compiler', { version: '2', buildDeps: [old] })] }), []);
  assert.equal(refusals({ packages: [pack('compiler', { version: '2', deps: [old] })] }).length, 1);
});

test('what a package compiles with does not reach those that need it, so other versions of it may', () => {
  const old = pack('zlib', { version: '1.2' });
  const next = pack('zlib', { version: '1.3' });
  const png = pack('png', { buildDeps: [old] });
  assert.deepEqual(refusals({ packages: [pack('pil', { deps: [png, next] })] }), []);
});

test('every mistake of a Buildfile is listed, each at its own file and line', async (t) => {
  const path = buildfile(
    t,
    `import { autotools, debian, defineBuild, definePackage } from 'vbuild';
import { png } from './png.ts';
const zlib = definePackage('Zlib', { version: '1.3', source: debian('zlib'), recipe: autotools() });
const pil = definePackage('pil', {
  version: '11',
  source: debian('pillow'),
  patchs: 'patches/pil',
  deps: [zlib, png, 'tiff'],
  recipe: autotools,
} as never);
export default defineBuild({ packages: [pil], cash: [] } as never);
`,
    {
      'png.ts': `import { autotools, debian, definePackage } from 'vbuild';\n\nexport const png = definePackage('png', { version: 1.6, source: debian('libpng1.6'), recipe: autotools() } as never);\n`,
    },
  );
  assert.deepEqual(
    (await problems(path)).map(outline).map(({ place, message, option }) => [place, message, option]),
    [
      ['png.ts:3', 'Option has a wrong value', 'version'],
      ['Buildfile.ts:3', 'Option has a wrong value', 'name'],
      ['Buildfile.ts:4', 'Option is unknown', 'patchs'],
      ['Buildfile.ts:4', 'A listed value is not a package', 'deps[2]'],
      ['Buildfile.ts:4', 'Option has a wrong value', 'recipe'],
      ['Buildfile.ts:11', 'Option is unknown', 'cash'],
    ],
  );
});
