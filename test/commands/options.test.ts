/** The command line as users type it: what is understood, and what they are told when it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  commandGroups,
  commandTable,
  conflicts,
  type OptionRow,
  optionTable,
} from '../../src/commands/command-table.ts';
import { type CommandLine, type Options, parseCommandLine } from '../../src/commands/options.ts';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import { reservedNames } from '../../src/model/reserved-names.ts';

const plain = parseCommandLine([]).options;

interface Understood {
  readonly line: readonly string[];
  readonly command: CommandLine['command'];
  readonly targets?: readonly string[];
  readonly options?: Partial<Options>;
  readonly rest?: readonly string[];
}

const understood: readonly Understood[] = [
  { line: [], command: 'build' },
  { line: ['pil'], command: 'build', targets: ['pil'] },
  { line: ['build', 'pil', 'zlib'], command: 'build', targets: ['pil', 'zlib'] },
  { line: ['pil', 'build'], command: 'build', targets: ['pil', 'build'] },
  { line: ['--', 'list'], command: 'build', targets: ['list'] },
  { line: ['pil', '--', '-odd'], command: 'build', targets: ['pil', '-odd'] },
  { line: ['-j4', 'pil'], command: 'build', targets: ['pil'], options: { jobs: 4 } },
  { line: ['-j', '12', 'pil', '-s'], command: 'build', targets: ['pil'], options: { jobs: 12, quiet: true } },
  { line: ['-sj2', 'pil'], command: 'build', targets: ['pil'], options: { jobs: 2, quiet: true } },
  { line: ['--jobs=1', '--jobs=3'], command: 'build', options: { jobs: 3 } },
  { line: ['-l2.5', 'pil'], command: 'build', targets: ['pil'], options: { loadAverage: 2.5 } },
  { line: ['-C', 'site', 'build', '-f', 'B.ts'], command: 'build', options: { directory: 'site', file: 'B.ts' } },
  { line: ['--prefix=-odd'], command: 'build', options: { prefix: '-odd' } },
  {
    line: ['pil', '--frozen', '--push', '--no-install'],
    command: 'build',
    targets: ['pil'],
    options: { frozen: true, push: true, noInstall: true },
  },
  {
    line: ['pil', '--no-build', '--cache-dir', 'c', '--work', 'w'],
    command: 'build',
    targets: ['pil'],
    options: { noBuild: true, cacheDir: 'c', work: 'w' },
  },
  { line: ['-f', 'B.ts', 'list', '--json'], command: 'list', options: { file: 'B.ts', json: true } },
  { line: ['show', 'pil'], command: 'show', targets: ['pil'] },
  {
    line: ['exec', '-f', 'B.ts', '--', 'python3', '-c', 'x', '--', '-f'],
    command: 'exec',
    options: { file: 'B.ts' },
    rest: ['python3', '-c', 'x', '--', '-f'],
  },
  { line: ['exec', '--', 'prog', '--help', '--version'], command: 'exec', rest: ['prog', '--help', '--version'] },
  { line: ['lock'], command: 'lock' },
  { line: ['--help'], command: 'help' },
  { line: ['-h', '--nonsense'], command: 'help' },
  { line: ['exec', '--help'], command: 'help', targets: ['exec'] },
  { line: ['help', 'exec'], command: 'help', targets: ['exec'] },
  { line: ['help', 'patch'], command: 'help', targets: ['patch'] },
  { line: ['help', 'patch', 'edit'], command: 'help', targets: ['patch edit'] },
  { line: ['patch', '--help'], command: 'help', targets: ['patch'] },
  { line: ['patch', 'edit', '-h'], command: 'help', targets: ['patch edit'] },
  { line: ['patch', 'edit', 'pil'], command: 'patch edit', targets: ['pil'] },
  {
    line: ['patch', 'rebase', '--continue', 'pil'],
    command: 'patch rebase',
    targets: ['pil'],
    options: { continue: true },
  },
  {
    line: ['-C', 'site', 'patch', 'apply', '-p0', '-d', 'tree', '--dialect=dpkg', 'a', '--', '-odd'],
    command: 'patch apply',
    targets: ['a', '-odd'],
    options: { directory: 'site', strip: 0, tree: 'tree', dialect: 'dpkg' },
  },
  { line: ['--version'], command: 'version' },
  { line: ['version'], command: 'version' },
];

for (const { line, command, targets = [], options = {}, rest = [] } of understood) {
  test(`vbuild ${line.join(' ')} is understood`, () => {
    assert.deepEqual(parseCommandLine(line), { command, targets, options: { ...plain, ...options }, rest });
  });
}

const refused: readonly (readonly [line: readonly string[], headline: string, mend: RegExp])[] = [
  [['--jbos', '3'], 'Option --jbos is unknown', /did you mean --jobs\?/],
  [['--no-instal'], 'Option --no-instal is unknown', /did you mean --no-install\?/],
  [['--qqqqqq'], 'Option --qqqqqq is unknown', /vbuild help build/],
  [['-B'], 'Option -B is unknown', /vbuild verify --rebuild$/],
  [['-Z'], 'Option -Z is unknown', /vbuild help build/],
  [['-j', '0'], 'Option -j needs a number', /-j N/],
  [['-j', 'x'], 'Option -j needs a number', /-j N/],
  [['--jobs=1e3'], 'Option --jobs needs a number', /--jobs N/],
  [['-l', '0.0'], 'Option -l needs a number', /-l N/],
  [['-l', '.5'], 'Option -l needs a number', /-l N/],
  [['-j'], 'Option -j needs a value', /-j N/],
  [['--prefix', '--push'], 'Option --prefix needs a value', /--prefix=--push/],
  [['--prefix='], 'Option --prefix needs a value', /--prefix DIR/],
  [['--push=yes'], 'Option --push takes no value', /leave the value out/],
  [['list', '-j', '3'], 'Option -j does not apply to "vbuild list"', /vbuild help list/],
  [['list', 'pil'], '"vbuild list" takes no argument', /vbuild help list/],
  [['show'], '"vbuild show" needs a package', /vbuild show/],
  [['exec'], 'Command to run is missing', /vbuild exec -- /],
  [['exec', 'python3', '-c', 'x'], 'Command to run must follow "--"', /vbuild exec -- python3/],
  [['fetch', 'pil', '--dot'], 'Command "fetch" is not part of this release', /vbuild help/],
  [[''], 'Target is an empty text', /name a package/],
  [['patch'], '"vbuild patch" needs a second word', /vbuild help patch/],
  [['patch', 'eidt', 'pil'], 'Command "patch eidt" is unknown', /"vbuild patch edit"/],
  [['patch', 'edit'], '"vbuild patch edit" needs one package', /vbuild patch edit pil/],
  [['patch', 'edit', 'pil', 'zlib'], '"vbuild patch edit" needs one package', /vbuild patch edit pil/],
  [['patch', 'apply'], '"vbuild patch apply" needs a patch', /fix\.patch/],
  [['patch', 'apply', 'a', '-p', '-1'], 'Option -p needs a value', /--strip=-1/],
  [['patch', 'apply', 'a', '-p1.5'], 'Option -p needs a number', /-p N/],
  [['patch', 'apply', 'a', '--dialect', 'gnu'], 'Option --dialect has no such choice', /vbuild help patch apply/],
  [['help', 'patch', 'edit', 'x'], '"vbuild help" takes one argument', /vbuild help help/],
];

for (const [line, headline, mend] of refused) {
  test(`vbuild ${line.join(' ')} is refused: ${headline}`, () => {
    assert.throws(
      () => parseCommandLine(line),
      (error) => {
        assert.ok(error instanceof VbuildError);
        assert.equal(error.code, 'usage');
        assert.equal(error.exitStatus, 2);
        assert.equal(error.message, headline);
        assert.match(error.mend, mend);
        return true;
      },
    );
  });
}

test('parseCommandLine() lists every mistake of a line', () => {
  assert.throws(
    () => parseCommandLine(['-j', '0', '--jbos', '3', '--quiet', '--verbose']),
    (error) => {
      assert.ok(error instanceof VbuildErrors);
      assert.deepEqual(
        error.errors.map(({ message }) => message),
        ['Option -j needs a number', 'Option --jbos is unknown', 'Options --quiet and --verbose contradict each other'],
      );
      return true;
    },
  );
});

for (const [one, other] of conflicts) {
  test(`--${one} and --${other} are refused together`, () => {
    const rows: readonly OptionRow[] = optionTable;
    const commandsOf = (option: string): readonly string[] => {
      const { commands } = rows.find(({ name }) => name === option) ?? { commands: [] };
      return commands === 'all' ? commandTable.map(({ name }) => name) : commands;
    };
    const [command = ''] = commandsOf(one).filter((name) => commandsOf(other).includes(name));
    const takes = commandTable.find(({ name }) => name === command)?.takes ?? 'nothing';
    const words = takes === 'nothing' || takes === 'targets' ? [] : ['pil'];
    const given = (option: string): string => {
      const row = rows.find(({ name }) => name === option);
      return row?.type === 'flag' ? `--${option}` : `--${option}=${row?.choices?.[0] ?? '1'}`;
    };
    const line = [...command.split(' '), ...words, given(one), given(other)];
    assert.throws(() => parseCommandLine(line), { code: 'usage', message: /contradict each other/ });
  });
}

test('parseCommandLine() keeps every value of an option that may be given more than once, and the last one of others', () => {
  const { options } = parseCommandLine(['plan', '--set', 'a=1', '--touch=x', '--set', 'b=2', '-f', 'one', '-f', 'two']);
  assert.deepEqual([options.set, options.touch, options.file], [['a=1', 'b=2'], ['x'], 'two']);
  assert.equal(parseCommandLine(['plan']).options.set, undefined);
});

test('parseCommandLine() ends every line in an answer or a usage error', () => {
  const words = [
    ...optionTable.map(({ name }) => `--${name}`),
    ...reservedNames,
    '-j',
    '-j2',
    '-',
    '--',
    '--x',
    '-fx',
    '',
    'pil',
    '__proto__',
    '--__proto__',
    '--constructor=1',
    '\u001b',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), { maxLength: 6 }),
      (line) => {
        try {
          const { command } = parseCommandLine(line);
          assert.ok(commandTable.some(({ name }) => name === command));
        } catch (error) {
          const errors = error instanceof VbuildErrors ? error.errors : [error];
          for (const one of errors) assert.ok(one instanceof VbuildError && one.code === 'usage', String(one));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('every command is a reserved name, and every option has a name and letter of its own', () => {
  for (const { name } of commandTable) assert.ok(reservedNames.includes(name.split(' ')[0] ?? ''), name);
  for (const { name } of commandTable.filter((row) => row.name.includes(' ')))
    assert.ok(Object.hasOwn(commandGroups, name.split(' ')[0] ?? ''), `${name} needs a group`);
  assert.equal(new Set(reservedNames).size, reservedNames.length);
  assert.equal(new Set(optionTable.map(({ name }) => name)).size, optionTable.length);
  const letters = optionTable.flatMap((row: OptionRow) => row.short ?? []);
  assert.equal(new Set(letters).size, letters.length);
});
