/** The main job for real: PIL and its C libraries from upstream source, the one whole build of the example in all the tests. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  globSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BUILD_ROOT_LENGTH } from '../../src/artifact/build-root.ts';
import { cycloneDxProblems } from '../support/cyclonedx.ts';
import { checkIn } from '../support/check-in.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { closure } from '../support/example.ts';
import { runAndListLoads } from '../support/loads.ts';
import { otherUser, skipUnlessRoot } from '../support/other-user.ts';
import { forget, type Project, projectAt } from '../support/project.ts';
import { shop } from '../support/shop.ts';
import { skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir } from '../support/temp.ts';
import { checkout, type Ended, runProgram } from '../support/vbuild.ts';

const example = ['-f', 'Buildfile.example.ts'] as const;
const useProgram = join(checkout, 'test/support/use-pil.py');

/** What `use-pil.py` prints. */
interface Use {
  readonly file: string;
  readonly version: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
  readonly refused: readonly boolean[];
  readonly worst: Readonly<Record<string, number>>;
  readonly text: { readonly few: number; readonly many: number };
  readonly jpegQuality: Readonly<Record<string, boolean>>;
  readonly colour: readonly number[];
  /** Every shared library of the process, by its real path. */
  readonly maps: readonly string[];
}

/** The checkout as a clone of it would be, with its installed packages; without lock file, work folder and prefix. */
function cloneCheckout(to: string): void {
  for (const name of ['bin', 'src', 'patches', 'Buildfile.example.ts', 'package.json'])
    cpSync(join(checkout, name), join(to, name), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(to, 'node_modules'));
}

/**
 * Tells what a prefix holds, one line each, its own name ($2) as a symbol; of programs and libraries their code and data. Of those the run
 * path is left out: relative in the one, absolute in the other.
 */
const contentOf = `cd "$1" && find . ! -type d | LC_ALL=C sort | while read -r file; do
  if [ -L "$file" ]; then echo "$file -> $(readlink "$file")"
  elif [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
    objcopy -O binary -j .text -j .rodata -j .data.rel.ro -j .data "$file" "$3" && echo "$file $(sha256sum <"$3")"
  else echo "$file $(LC_ALL=C sed "s#$2#@prefix@#g" "$file" | sha256sum)"
  fi || exit
done`;

/** Runs its arguments where none of these can be started, by whatever path. */
const withoutCompilers = `for name in cc c++ cpp gcc g++ as ld make cmake meson ninja nasm; do
  [ ! -e /usr/bin/$name ] || mount --bind /dev/null /usr/bin/$name || exit 99
done
cc --version 2>/dev/null || make --version 2>/dev/null || exec "$@"; exit 98`;

test('vbuild pil makes a usable PIL of upstream source, once', async (t) => {
  const top = tempDir(t, 'pil');
  const path = join(top, 'clone');
  cloneCheckout(path);
  const site: Project = projectAt(path, join(top, 'home'));
  const vbuild = (args: readonly string[]): Promise<Ended> =>
    runProgram([join(path, 'bin/vbuild'), ...args], { cwd: path, home: site.home });
  const work = join(path, '.vbuild/Buildfile.example');
  const font = join(top, 'FreeMono.ttf');

  async function use(prefix: string, args: readonly string[] = []): Promise<Use> {
    const ended = insistOnSuccess(
      await vbuild(['exec', ...example, ...args, '--', '/usr/bin/python3', useProgram, font]),
    );
    assert.equal(ended.stderr, '');
    const used = JSON.parse(ended.stdout) as Use;
    assert.equal(used.file, join(realpathSync(prefix), 'lib/python3.11/site-packages/PIL/__init__.py'));
    return used;
  }

  await t.test(
    'one command builds and installs all nine packages, with progress and a last line that a person can read',
    async () => {
      const { exitStatus, stdout, stderr } = await vbuild(['pil', ...example]);
      assert.equal(exitStatus, 0, stderr.slice(-20_000));
      assert.equal(stdout, '');
      for (const id of closure) {
        for (const done of ['fetched', 'compiled', 'packed', 'built'])
          assert.match(
            stderr,
            new RegExp(`^\\[\\d/9\\] ${id.replaceAll('.', '\\.')} +${done} in `, 'm'),
            `${id} ${done}`,
          );
      }
      assert.match(
        stderr.trimEnd().split('\n').at(-1) ?? '',
        /^pil ready in vendor \(generation 1\): 9 built in (\d+ min )?\d+ s$/,
      );
      const shadowed = [
        ...stderr.matchAll(
          /^warning: Python of this host loads a library of its own in place of ours\n {2}package +(\S+)\n {2}library +(\S+)$/gm,
        ),
      ];
      assert.deepEqual(
        shadowed.map(([, id, library]) => [id, library]),
        [['zlib@1.2.13', 'libz.so.1']],
      );
      copyFileSync(join(work, 'trees/pil_9.4.0/source/Tests/fonts/FreeMono.ttf'), font);
    },
  );
  const vendor = join(path, 'vendor');
  const built = site.installed();
  assert.deepEqual(
    Object.entries(built)
      .map(([name, { version }]) => `${name}@${version}`)
      .sort(),
    closure.toSorted(),
  );

  await t.test('PIL opens, resizes and saves every form, and writes text', async () => {
    const used = await use(vendor);
    assert.deepEqual(used.missing, []);
    for (const [form, worst] of Object.entries(used.worst)) {
      const lossless = /PNG|lossless|LZW|Deflate|2000/.test(form);
      assert.ok(lossless ? worst === 0 : worst <= 12, `${form} differs by up to ${worst}`);
    }
    assert.ok(used.text.few > 20 && used.text.many > 5 * used.text.few, JSON.stringify(used.text));
    assert.deepEqual(used.colour, [256, 256]);
  });

  await t.test('our patches show: version, pixel limit, JPEG quality', async () => {
    const used = await use(vendor);
    assert.equal(used.version, '9.4.0+site1');
    assert.deepEqual(used.refused, [false, true]);
    assert.deepEqual(used.jpegQuality, { same: true, '75': false });
    assert.deepEqual(used.versions, {
      libjpeg_turbo: '2.1.5+site1',
      zlib: '1.2.13',
      libtiff: '4.5.0',
      jpg_2000: '2.5.0',
      freetype2: '2.12.1',
      littlecms2: '2.14',
      webp: '1.2.4',
    });
  });

  await t.test(
    'every library of ours that is loaded lies in the prefix, save the one that was reported as shadowed',
    async () => {
      const { maps } = await use(vendor);
      const tree = realpathSync(vendor);
      const stem = (file: string): string => file.replace(/\.so\b.*$/, '');
      const ours = new Set(
        readdirSync(join(tree, 'lib'))
          .filter((name) => /^lib.*\.so/.test(name))
          .map(stem),
      );
      const loaded = maps.filter((file) => ours.has(stem(file.slice(file.lastIndexOf('/') + 1))));
      const elsewhere = loaded.filter((file) => !file.startsWith(`${tree}/lib/`));
      assert.deepEqual(
        elsewhere.map((file) => stem(file.slice(file.lastIndexOf('/') + 1))),
        ['libz'],
        maps.join('\n'),
      );
      for (const name of ['libjpeg', 'libpng16', 'libfreetype', 'libwebp', 'liblcms2', 'libtiff', 'libopenjp2'])
        assert.ok(
          loaded.some((file) => file.startsWith(`${tree}/lib/${name}.so`)),
          `${name} is not loaded:\n${maps.join('\n')}`,
        );
    },
  );

  await t.test('its bill of materials is right for CycloneDX, with the licences that its makers gave it', async () => {
    const { stdout } = insistOnSuccess(await vbuild(['sbom', 'pil', ...example, '--offline']));
    const bom = JSON.parse(stdout) as {
      components: { purl: string; licenses: { license: { id: string } }[]; 'bom-ref': string }[];
    };
    assert.deepEqual(cycloneDxProblems(bom), []);
    assert.deepEqual(
      bom.components.map((one) => [one['bom-ref'], ...one.licenses.map(({ license }) => license.id)].join(' ')),
      [
        'zlib@1.2.13 Zlib',
        'libjpeg-turbo@2.1.5 BSD-3-Clause IJG',
        'libpng@1.6.39 Libpng libpng-2.0',
        'freetype@2.12.1 FTL GPL-2.0',
        'libwebp@1.2.4 BSD-3-Clause',
        'lcms2@2.14 MIT',
        'tiff@4.5.0 libtiff',
        'openjpeg@2.5.0 BSD-2-Clause',
        'pil@9.4.0 MIT-CMU',
      ],
    );
    for (const { purl } of bom.components) assert.match(purl, /^pkg:deb\/debian\/[^?]+\?arch=source&distro=debian-12$/);
  });

  await t.test('its first library comes out the same again, two times, as the cache has it', async () => {
    const { stdout } = insistOnSuccess(await vbuild(['verify', '--rebuild', 'zlib', ...example, '--offline']));
    assert.match(stdout, /^zlib@1\.2\.13 is reproducible: two builds and disk have the same 7 files\n/);
  });

  await t.test(
    'ejected as a program of a shell it is built without vbuild from the same archives, works, and is the same to the byte',
    async () => {
      const { stdout } = insistOnSuccess(await vbuild(['eject', 'pil', ...example]));
      const sources = join(top, 'sources');
      const lock = JSON.parse(site.read('Buildfile.example.lock')) as {
        sources: Record<string, { pin: { files?: { name: string; digest: string }[] } }>;
      };
      for (const { pin } of Object.values(lock.sources))
        for (const { name, digest } of pin.files ?? [])
          cpSync(join(site.home, '.cache/vbuild/v1/blobs/sha256', digest.slice(0, 2), digest), join(sources, name));
      site.write({ 'build.sh': stdout });
      // As long as the prefix that vbuild builds for, since what follows a run path in a file moves with its length.
      const own = join(top, 'e'.repeat(BUILD_ROOT_LENGTH + '/prefix'.length - top.length - 1));
      const options = { cwd: path, home: site.home };
      // Neither vbuild nor Node is on this PATH.
      const env = { SOURCES: sources, PATH: '/usr/bin:/bin' };
      insistOnSuccess(await runProgram(['dash', join(path, 'build.sh'), own], { ...options, env }));
      const modules = join(own, 'lib/python3.11/site-packages');
      const ended = insistOnSuccess(
        await runProgram(['/usr/bin/python3', useProgram, font], { ...options, env: { PYTHONPATH: modules } }),
      );
      const used = JSON.parse(ended.stdout) as Use;
      assert.deepEqual([used.file, used.version, used.missing], [join(modules, 'PIL/__init__.py'), '9.4.0+site1', []]);
      assert.ok(used.maps.some((file) => file.startsWith(`${own}/lib/libjpeg.so`)));
      const told = async (prefix: string, named: string): Promise<string[]> => {
        const argv = ['sh', '-c', contentOf, 'sh', prefix, named, join(top, 'code')];
        return insistOnSuccess(await runProgram(argv, options)).stdout.split('\n');
      };
      const [ours, theirs] = [await told(realpathSync(vendor), vendor), await told(own, own)];
      assert.ok(ours.length > 300, `${ours.length} files`);
      assert.deepEqual(theirs, ours);
    },
  );

  await t.test('whatever explains a build explains this one', async () => {
    const ask = async (...args: string[]): Promise<string> =>
      insistOnSuccess(await vbuild([...args, ...example])).stdout;
    assert.match(await ask('why', 'pil'), /^pil@9\.4\.0 is fresh/);
    assert.match(await ask('why', 'patches/pil'), /pil@9\.4\.0/);
    const { packages } = JSON.parse(await ask('plan', 'pil', '--json')) as { packages: readonly { outcome: string }[] };
    assert.deepEqual(
      packages.map(({ outcome }) => outcome),
      closure.map(() => 'fresh'),
    );
    const page = join(top, 'report.html');
    await ask('report', '-o', page);
    for (const text of [await ask('status'), await ask('graph', 'pil'), readFileSync(page, 'utf8')])
      for (const id of closure) assert.ok(text.includes(id.split('@')[0] ?? id), `${id} in ${text.slice(0, 500)}`);
    assert.match(await ask('log', 'pil'), /setup\.py|pip/);
  });

  await t.test('a second run takes no stage and loads no package', async () => {
    const run = insistOnSuccess(eventsOf(await vbuild(['pil', ...example, '--json'])));
    assert.deepEqual(
      run.events.map(({ type }) => type),
      ['run-started', 'run-finished'],
    );
    assert.deepEqual(run.outcomes, { fresh: 9, restored: 0, built: 0 });
    const plain = insistOnSuccess(await vbuild(['pil', ...example]));
    assert.equal(plain.stderr, 'pil is fresh in vendor: nothing to do\n');
    const loads = await runAndListLoads(['pil', ...example, '--json'], { cwd: path, home: site.home });
    assert.deepEqual([loads.exitStatus, loads.packages], [0, []]);
  });

  await t.test(
    'Capistrano deploys a site that needs it, keeps the old release where one is lacking, and rolls back',
    (own) => deployShop(own, path, join(site.home, '.cache/vbuild')),
  );

  for (const [what, prefix] of [
    ['the same prefix', vendor],
    ['a shorter one', join(dirname(top), `p${process.pid}`)],
    ['a longer one', join(top, 'another place for it'.repeat(9), 'much/longer/than/the/first', 'v'.repeat(80))],
  ] as const) {
    await t.test(
      `with work folder and prefix gone, it comes back from the cache in ${what}, and works`,
      async (own) => {
        if (!prefix.startsWith(top))
          own.after(() =>
            [prefix, join(dirname(prefix), `.p${process.pid}.generations`)].forEach((left) =>
              rmSync(left, { recursive: true }),
            ),
          );
        forget(site);
        const run = insistOnSuccess(
          eventsOf(await vbuild(['pil', ...example, '--prefix', prefix, '--frozen', '--json'])),
        );
        assert.deepEqual([run.stages, run.installs], [[], 1]);
        assert.deepEqual(run.outcomes, { fresh: 0, restored: 9, built: 0 });
        assert.deepEqual(site.installed(prefix), built);
        const used = await use(prefix, ['--prefix', prefix]);
        assert.deepEqual([used.missing, used.worst['PNG'], used.version], [[], 0, '9.4.0+site1']);
        assert.ok(used.maps.some((file) => file.startsWith(`${realpathSync(prefix)}/lib/libjpeg.so`)));
        assert.match(readlinkSync(prefix), /generations\/1$/);
      },
    );
  }

  await t.test(
    'the keys are the same in another clone elsewhere, for another user, without any cache',
    { skip: skipUnlessRoot },
    async (own) => {
      const user = otherUser(own);
      const other = join(user.folder, 'srv/a clone of it');
      for (const name of ['patches', 'Buildfile.example.ts', 'Buildfile.example.lock'])
        cpSync(join(path, name), join(other, name), { recursive: true });
      user.give(user.folder);
      const names = closure.map((id) => id.slice(0, id.indexOf('@')));
      const shown = insistOnSuccess(
        await user.run(['show', ...names, ...example, '--json'], {
          cwd: other,
          home: join(user.folder, 'home'),
          umask: '077',
          env: { TZ: 'Asia/Tokyo' },
        }),
      );
      const { packages } = JSON.parse(shown.stdout) as { packages: { package: string; contentKey: string }[] };
      assert.deepEqual(
        packages.map(({ package: id, contentKey }) => [id, contentKey]),
        closure.map((id) => [id, built[id.slice(0, id.indexOf('@'))]?.key]),
      );
    },
  );

  await t.test(
    'what a clean clone pushed to a bucket, another one restores with its lock file, without a compiler on the machine',
    { skip: skipWithoutS3 },
    async (own) => {
      const s3 = await startS3Server();
      own.after(() => s3.close());
      const place = {
        VENDOR_BUCKET: await s3.bucket({ who: 'reader', may: 'list and get' }),
        AWS_ENDPOINT_URL_S3: s3.endpoint,
      };
      const [ci, server] = [join(top, 'ci'), join(top, 'server')];
      for (const clone of [ci, server]) {
        cloneCheckout(clone);
        checkIn(clone);
      }
      const command = (clone: string, ...args: readonly string[]): readonly string[] => {
        const lock = join(path, 'Buildfile.example.lock');
        return [join(clone, 'bin/vbuild'), 'pil', ...example, '--lock', lock, '--frozen', ...args, '--json'];
      };
      // Its disk cache is the one of the build above: compiling once more would show nothing new.
      const filling = { cwd: ci, home: site.home, env: { ...place, ...s3.owner } };
      const push = insistOnSuccess(eventsOf(await runProgram(command(ci, '--push', '--no-install'), filling)));
      const pushed = push.events.flatMap(({ type, package: id }) => (type === 'pushed' ? [id ?? ''] : []));
      assert.deepEqual([push.stages, pushed.sort(), push.warnings], [[], closure.toSorted(), []]);

      const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
      const bare = ['unshare', ...user, '--mount', '--', 'sh', '-c', withoutCompilers, 'sh'];
      const empty = join(top, 'empty');
      const restoring = { cwd: server, home: empty, env: { ...place, ...s3.reader } };
      const run = insistOnSuccess(eventsOf(await runProgram([...bare, ...command(server, '--no-build')], restoring)));
      assert.deepEqual([run.stages, run.outcomes], [[], { fresh: 0, restored: 9, built: 0 }]);
      const traffic = run.events.filter(({ type }) => type === 'cache-traffic');
      assert.deepEqual(
        traffic.map(({ requests }) => requests),
        [2 * closure.length],
      );
      assert.deepEqual(projectAt(server, empty).installed(), built);
      const python = [...command(server).slice(0, 1), 'exec', ...example, '--', '/usr/bin/python3', '-c'];
      const program = 'import PIL; from PIL import Image; print(PIL.__version__, Image.new("L", (8, 8)).size)';
      const used = insistOnSuccess(await runProgram([...python, program], { cwd: server, home: empty }));
      assert.equal(used.stdout, '9.4.0+site1 (8, 8)\n');
    },
  );
});

/** @param from Absolute path of the project as it was built. @param cache Of the user who built it. */
async function deployShop(t: TestContext, from: string, cache: string): Promise<void> {
  const files = globSync('{Buildfile.example.*,patches/*/*}', { cwd: from });
  const site = await shop(t, {
    project: Object.fromEntries(files.map((file) => [file, readFileSync(join(from, file), 'utf8')])),
    buildfile: 'Buildfile.example.ts',
    target: 'pil',
    cache,
  });
  const cap = async (task: string): Promise<void> => void insistOnSuccess(await site.cap(task));

  await cap('deploy');
  const first = { release: site.release(), answer: await site.answer() };
  const { version, pil, from: file } = first.answer;
  assert.deepEqual([version, pil], ['1', '9.4.0+site1']);
  assert.ok(file.startsWith(`${first.release}/.vendor.generations/1/`), file);

  // Of this patch no cache has anything yet.
  const mark = 'patches/pil/0003-mark-the-version.patch';
  const program = readFileSync(join(site.clone, 'shop.py'), 'utf8').replace('VERSION = "1"', 'VERSION = "2"');
  const patch = readFileSync(join(from, mark), 'utf8');
  site.commit({ 'shop.py': program, [mark]: patch.replaceAll('site1', 'site2') });
  for (const [where, env] of [
    ['vbuild:check', {}],
    ['vbuild:install', { WITHOUT_CHECK: '1' }],
  ] as const) {
    const { exitStatus, stdout } = await site.cap('deploy', env);
    assert.notEqual(exitStatus, 0, stdout);
    assert.match(stdout, new RegExp(`${where}\\n[^]*pil@9\\.4\\.0[^]*$`));
    assert.doesNotMatch(stdout, /deploy:symlink:release/);
    assert.deepEqual({ release: site.release(), answer: await site.answer() }, first);
  }

  site.commit({ [mark]: patch });
  await cap('deploy');
  const second = await site.answer();
  assert.deepEqual([second.version, second.pil], ['2', '9.4.0+site1']);
  assert.notEqual(site.release(), first.release);
  assert.ok(second.from.startsWith(site.release()), second.from);

  await cap('deploy:rollback');
  const back = await site.answer();
  assert.deepEqual([site.release(), back.version, back.from], [first.release, '1', file]);
  assert.notEqual(back.pid, first.answer.pid);
}
