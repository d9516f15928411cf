/** `vbuild verify --rebuild`: what comes out otherwise is named, and nothing of it is left in project or caches. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { type Project, projectAt } from '../support/project.ts';
import { complaints } from '../support/schemas.ts';
import { snapshot } from '../support/snapshot.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { startProgram, vbuildBin } from '../support/vbuild.ts';

interface Difference {
  readonly path: string;
  readonly kinds: readonly string[];
  readonly member?: string;
  readonly section?: string;
  readonly offset?: number;
  readonly first?: string;
  readonly second?: string;
}
interface Rebuilt {
  readonly package: string;
  readonly reproducible: boolean;
  readonly builds: readonly {
    readonly tree: string;
    readonly host: string;
    readonly user: string;
    readonly root: string;
  }[];
  readonly differences: readonly Difference[];
  readonly witnesses: readonly {
    readonly tier: string;
    readonly equals: string;
    readonly against: readonly string[];
    readonly differences: readonly Difference[];
  }[];
  readonly kept?: string;
}

/** Each line of a step that puts something into a file of its own, and why two builds of that file differ. */
const odd: Readonly<Record<string, readonly [line: string, kinds: readonly string[]]>> = {
  'share/date': ['date', ['time']],
  'share/epoch': ['date +%s', ['time']],
  'share/sentence': ['echo "built by $(whoami)@$(hostname) on $(date +%F_%T)"', ['time', 'host', 'user']],
  'share/id': ['id', ['user']],
  'share/place': ['pwd | cut -c2-', ['path']],
  'share/jobs': ['echo "make -j@jobs@"', ['jobs']],
  'share/random': ['od -An -N16 -tx1 /dev/urandom | tr -d " "', ['random']],
  'share/name': ['basename "$(mktemp -u)"', ['random']],
  'share/order': ['if [ @jobs@ = 1 ]; then printf "b\\na\\nc\\n"; else printf "a\\nb\\nc\\n"; fi', ['order']],
  'share/word': ['if [ @jobs@ = 1 ]; then echo one; else echo several; fi', ['other']],
  'share/spelt': [
    String.raw`if [ @jobs@ = 1 ]; then echo "'caf?'"; else printf '\342\200\230caf\303\251\342\200\231\n'; fi`,
    ['locale'],
  ],
  'share/text.gz': ['echo text >text; touch text; gzip -c text', ['time']],
  'share/nested.gz': ['hostname | gzip -n', ['host']],
  'lib/times.a': ['rm -f t.a; ar rcU t.a one.o two.o; cat t.a', ['time', 'user']],
  'lib/order.a': [
    'rm -f o.a; if [ @jobs@ = 1 ]; then ar rcD o.a two.o one.o; else ar rcD o.a one.o two.o; fi; cat o.a',
    ['order'],
  ],
  'lib/code.so': [
    'printf \'const char *at="%s"; const char *on="%s";\' "$(hostname)" "$(date)" >s.c; cc -shared -Wl,--build-id=sha1 -o s.so s.c; cat s.so',
    ['time', 'host', 'build-id'],
  ],
};

/** A package `odd` with all of these, `even` with `base` below it, which are reproducible. */
function project(t: TestContext, more = ''): Project {
  const top = tempDir(t, 'rebuild');
  const lines = Object.entries(odd).map(([path, [line]]) => `{ ${line}; } >"@stage@@prefix@/${path}"`);
  const script = [
    'mkdir -p "@stage@@prefix@/lib" "@stage@@prefix@/share"',
    'echo "int one(void) { return 1; }" >one.c; echo "int two(void) { return 2; }" >two.c; cc -c one.c two.c; touch one.o two.o',
    ...lines,
    'echo x >"@stage@@prefix@/share/mode"; [ @jobs@ = 1 ] || chmod +x "@stage@@prefix@/share/mode"',
    'ln -s "word@jobs@" "@stage@@prefix@/share/link"; touch "@stage@@prefix@/share/only-@jobs@"',
  ].join('\n');
  writeTree(join(top, 'site'), {
    'source/word': 'word\n',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, directoryCache, steps } from 'vbuild';
const install = (run: string) => steps([{ group: 'install', run }]);
const source = directory('source');
const base = definePackage('base', { version: '1', source, recipe: install('install -D -m 644 word "@stage@@prefix@/share/base"') });
const even = definePackage('even', {
  version: '1', source, deps: [base],
  recipe: install('install -D -m 644 "@prefix@/share/base" "@stage@@prefix@/share/even"; env | grep -v "^MAKEFLAGS" | sed "s#/media/[a-z]*/_*##g" | sort >"@stage@@prefix@/share/environment"; umask >>"@stage@@prefix@/share/even"'),
});
const odd = definePackage('odd', { version: '1', source, strip: false, recipe: install(${JSON.stringify(script)}) });
${more}
export default defineBuild({ packages: [base, even, odd${more === '' ? '' : ', more'}], defaults: [even]${more.includes('bucket') ? ', cache: [bucket]' : ''} });
`,
  });
  return projectAt(join(top, 'site'), join(top, 'home'));
}

/** @returns What `--json` prints, which its schema describes. */
async function rebuilt(
  site: Project,
  args: readonly string[],
  exitStatus: number,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Rebuilt[]> {
  const ended = await site.run(['verify', '--rebuild', ...args, '--json'], { env });
  assert.equal(ended.exitStatus, exitStatus, ended.stderr + ended.stdout);
  const document = JSON.parse(ended.stdout) as { readonly packages: readonly Rebuilt[] };
  assert.deepEqual(complaints('verify', document), []);
  return document.packages;
}

/** Modes and contents of all that a project and its cache hold, the run's own lock and records aside. */
function contents(site: Project): Record<string, string> {
  const all = snapshot(join(site.path, '..'));
  return Object.fromEntries(
    Object.entries(all).flatMap(([path, line]) => {
      if (/\.vbuild\/Buildfile(\/(lock|steps|packages))?$|\/vbuild(\/compiled.*|\/quick.*)?$/.test(path)) return [];
      const [mode, , , content] = line.split(' ');
      return [[path, `${mode} ${content}`]];
    }),
  );
}

test('each thing that comes out otherwise is classified, what does not is equal, and no trace is left', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.run(['lock']));
  const before = contents(site);
  const packages = await rebuilt(site, ['odd', 'even'], 1, { TZ: 'America/Lima', LANG: 'de_DE.UTF-8' });
  assert.deepEqual(contents(site), before);
  assert.deepEqual(
    packages.map((one) => [one.package, one.reproducible, one.witnesses]),
    [
      ['odd@1', false, []],
      ['even@1', true, []],
    ],
  );
  const [bad, even] = packages;
  assert.deepEqual(even?.differences, []);
  assert.equal(even.builds[0]?.tree, even.builds[1]?.tree);
  for (const what of ['host', 'user', 'root'] as const) assert.notEqual(even.builds[0]?.[what], even.builds[1]?.[what]);
  const found = Object.fromEntries((bad?.differences ?? []).map((one) => [one.path, one]));
  assert.deepEqual(Object.fromEntries(Object.entries(found).map(([path, { kinds }]) => [path, kinds])), {
    ...Object.fromEntries(Object.entries(odd).map(([path, [, kinds]]) => [path, kinds])),
    'share/link': ['target'],
    'share/mode': ['mode'],
    'share/only-2': ['missing'],
    'share/only-1': ['extra'],
  });
  assert.deepEqual(found['share/word'], {
    path: 'share/word',
    kinds: ['other'],
    offset: 0,
    first: 'several',
    second: 'one',
  });
  assert.equal(found['lib/code.so']?.section, '.rodata');
  assert.equal(found['lib/times.a']?.member, 'one.o');
  assert.match(found['lib/times.a'].first ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('what a package needs is built first where no cache has it; the number of processors is another one', {
  skip: availableParallelism() < 2 && 'one processor',
}, async (t) => {
  const site = project(
    t,
    `const more = definePackage('more', { version: '1', source, deps: [even], recipe: install('mkdir -p "@stage@@prefix@/share"; cp @prefix@/share/even @prefix@/share/base "@stage@@prefix@/"; nproc >"@stage@@prefix@/share/processors"') });`,
  );
  insistOnSuccess(await site.run(['lock']));
  const [one] = await rebuilt(site, ['more'], 1);
  const [difference] = one?.differences ?? [];
  assert.deepEqual([difference?.path, difference?.kinds, difference?.second], ['share/processors', ['jobs'], '1']);
});

test('what a cache has under the same key is compared as well, cache by cache', async (t) => {
  const outside = join(tempDir(t, 'outside'), 'word');
  const bucket = join(tempDir(t, 'bucket'), 'bucket');
  mkdirSync(bucket);
  const site = project(
    t,
    `const bucket = directoryCache(${JSON.stringify(bucket)});
const more = definePackage('more', { version: '1', source, deps: [base], recipe: install(${JSON.stringify(
      `install -D -m 644 ${outside} "@stage@@prefix@/share/more"; echo "$(date +%F) is not asked" >/dev/null`,
    )}) });`,
  );
  const open = ['--sandbox', 'off', '--no-install'];
  writeTree(outside, {});
  writeTree(join(outside, '..'), { word: 'as CI has it\n' });
  insistOnSuccess(await site.build(['base', 'more', '--push', ...open]));
  writeTree(join(outside, '..'), { word: 'as the server has it\n' });
  rmSync(join(site.home, '.cache'), { recursive: true });
  insistOnSuccess(await site.build(['base', 'more', '--no-cache', ...open]));
  const before = [contents(site), snapshot(bucket)];

  const [one] = await rebuilt(site, ['more', '--sandbox', 'off'], 1);
  assert.deepEqual([contents(site), snapshot(bucket)], before);
  assert.deepEqual([one?.differences, one?.reproducible], [[], false]);
  const [disk, far] = one?.witnesses ?? [];
  assert.deepEqual([disk?.tier, disk?.equals, disk?.differences, disk?.against], ['disk', 'both', [], []]);
  assert.deepEqual([far?.tier, far?.equals, far?.against], [bucket, 'neither', []]);
  assert.deepEqual(far?.differences, [
    { path: 'share/more', kinds: ['other'], offset: 3, first: 'the server has it', second: 'CI has it' },
  ]);

  const text = await site.run(['verify', '--rebuild', 'more', '--sandbox', 'off', '--keep']);
  assert.equal(text.exitStatus, 1);
  assert.match(text.stdout, /^more@1 came out the same two times \(two builds and disk\), but not as it was before$/m);
  assert.match(
    text.stdout,
    /has an artifact of \d{4}-\d\d-\d\d \d\d:\d\d that differs from both in 1 file\n {2}share\/more  other  byte 3  /,
  );
  assert.match(text.stdout, /^changed for the second build: path \/media\/vbuild\/ \| \/media\/elsewhere\/, host /m);
  const kept = join(site.path, '.vbuild/Buildfile/rebuild');
  assert.deepEqual(readdirSync(kept), ['more_1']);
  const names = readdirSync(join(kept, 'more_1'));
  assert.deepEqual(names.map((name) => readFileSync(join(kept, 'more_1', name, 'share/more'), 'utf8')).sort(), [
    'as CI has it\n',
    'as the server has it\n',
    'as the server has it\n',
  ]);
  insistOnSuccess(await site.run(['clean']));
  assert.ok(!existsSync(join(kept, 'more_1')));

  // Without names all that the defaults need, which the caches may have or not.
  const all = insistOnSuccess(await site.run(['verify', '--rebuild', '--quiet', '--json']));
  const { packages } = JSON.parse(all.stdout) as { readonly packages: readonly Rebuilt[] };
  assert.deepEqual(
    packages.map((each) => [each.package, each.witnesses.map(({ tier, equals }) => [tier, equals])]),
    [
      [
        'base@1',
        [
          ['disk', 'both'],
          [bucket, 'both'],
        ],
      ],
      ['even@1', []],
    ],
  );
});

test('a build that only fails the second time says so, and an interrupted one leaves nothing', async (t) => {
  const site = project(
    t,
    `const more = definePackage('more', { version: '1', source, recipe: install('[ @jobs@ != 1 ] || { [ ! -e @root@/../../../slow ] && false; }; mkdir "@stage@@prefix@" -p; cp word "@stage@@prefix@"') });`,
  );
  insistOnSuccess(await site.run(['lock']));
  const before = contents(site);
  const failed = eventsOf(await site.run(['verify', '--rebuild', 'more', '--json']));
  assert.equal(failed.exitStatus, 1);
  const [error] = failed.errors;
  assert.equal(error?.code, 'step-failed');
  assert.deepEqual(
    [error.facts['before'], error.facts['log'], error.facts['repeat']],
    ['in the usual way it was built without an error', undefined, undefined],
  );
  assert.deepEqual(contents(site), before);

  site.edit('Buildfile.ts', "install('[ @jobs@", "install('sleep 60; [ @jobs@");
  const now = contents(site);
  const argv = [vbuildBin, 'verify', '--rebuild', 'more', '--keep', '--json', '--verbose'];
  const { child, ended } = startProgram(argv, { cwd: site.path, home: site.home });
  const log = join(site.path, '.vbuild/Buildfile/rebuild/1/logs/more_1');
  while (!existsSync(log) && child.exitCode === null) await new Promise((resolve) => void setTimeout(resolve, 20));
  child.kill('SIGINT');
  const { exitStatus, stdout } = await ended;
  assert.equal(exitStatus, 130, stdout);
  assert.deepEqual(contents(site), now);
});

test('packages to verify go with --rebuild, a prefix goes without', async (t) => {
  const site = project(t);
  for (const args of [['odd'], ['--rebuild', '--prefix', 'vendor']]) {
    const { exitStatus, stderr } = await site.run(['verify', ...args]);
    assert.equal(exitStatus, 2);
    assert.match(
      stderr,
      /^error: (A prefix is verified as a whole|Options --rebuild and --prefix contradict each other)$/m,
    );
  }
  assert.equal((await site.run(['verify', '--rebuild', 'od'])).exitStatus, 2);
});
