/** Runs the tests with Node's own runner and ends with one line, `N passed, N failed`; `npm test [-- --full] [-- FILE|FOLDER…]`. */
import { chmodSync, globSync, mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { removeTree } from './temp.ts';

const checkout = resolve(import.meta.dirname, '../..');

/** Whole builds and the like: one at a time, after all others, since they use every core themselves. */
const heavy = /^test\/(e2e\/|.*\.serial\.test\.ts$|.*\.full\.ts$)/;
/** For one file; those that only `npm run test:full` takes have long loops. */
const timeoutMs = (files: readonly string[]): number =>
  (files.some((file) => file.endsWith('.full.ts')) ? 120 : 25) * 60_000;

interface Tally {
  passed: number;
  failed: number;
  readonly skipped: string[];
  readonly empty: string[];
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (Number.parseInt(process.versions.node, 10) < 24)
    return refuse(`needs Node 24, this is ${process.version}: start it with "npm test"`);
  const flags = args.filter((arg) => arg.startsWith('-'));
  const unknown = flags.find((flag) => flag !== '--full');
  if (unknown !== undefined) return refuse(`option ${unknown} is unknown; there is --full`);
  const chosen = args.filter((arg) => !arg.startsWith('-')).map((arg) => relative(checkout, resolve(arg)));

  process.chdir(checkout);
  const patterns = [
    'test/**/*.test.ts',
    ...(flags.includes('--full') || chosen.length > 0 ? ['test/**/*.full.ts'] : []),
  ];
  const all = globSync(patterns).sort();
  const files = all.filter(
    (file) =>
      chosen.length === 0 ||
      chosen.some(
        (path) =>
          file === path ||
          (!path.endsWith('.ts') &&
            file.startsWith(`${path}/`) &&
            (!file.endsWith('.full.ts') || flags.includes('--full'))),
      ),
  );
  const lost = chosen.find((path) => !files.some((file) => file === path || file.startsWith(`${path}/`)));
  if (lost !== undefined) return refuse(`no test lies at ${lost}`);

  const tally: Tally = { passed: 0, failed: 0, skipped: [], empty: [] };
  const startedMs = performance.now();
  const top = mkdtempSync(join(tmpdir(), 'vt-'));
  // Some tests become another user, who must be able to pass through.
  chmodSync(top, 0o755);
  process.once('SIGINT', () => stop(top, 130)).once('SIGTERM', () => stop(top, 143));
  try {
    isolate(top);
    const isFull = (file: string): boolean => file.endsWith('.full.ts');
    await runFiles(
      files.filter((file) => !heavy.test(file)),
      availableParallelism(),
      tally,
    );
    await runFiles(
      files.filter((file) => heavy.test(file) && !isFull(file)),
      1,
      tally,
    );
    await runFiles(files.filter(isFull), 1, tally);
    for (const name of readdirSync(join(top, 'tmp')))
      if (!name.startsWith('node-')) console.log(`LEFT BEHIND in the temporary folder: ${name}`);
  } finally {
    removeTree(top);
  }

  const inCi = (process.env['CI'] ?? '') !== '' && process.env['CI'] !== 'false';
  for (const name of tally.skipped) console.log(`SKIPPED${inCi ? ', which counts as failed in CI' : ''}: ${name}`);
  for (const file of tally.empty) console.log(`FAILED: ${file} holds no test`);
  if (tally.passed + tally.failed === 0) console.log('FAILED: no test was run');
  const failed = tally.failed + tally.empty.length + (inCi ? tally.skipped.length : 0);
  const took = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `${files.length} files in ${took} s${tally.skipped.length > 0 ? `, ${tally.skipped.length} tests skipped` : ''}`,
  );
  console.log(`${tally.passed} passed, ${failed} failed`);
  return failed > 0 || tally.passed === 0 ? 1 : 0;
}

/** Lets the runner's report through to stdout and counts tests (not suites). */
async function runFiles(files: readonly string[], concurrency: number, tally: Tally): Promise<void> {
  if (files.length === 0) return;
  const paths = files.map((file) => join(checkout, file));
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const stream = run({ files: paths, concurrency, execArgv, timeout: timeoutMs(files) });
  const isFile = (name: string): boolean => paths.includes(name) || files.includes(name);
  stream.on('test:pass', ({ name, file, details, skip, todo }) => {
    if (details.type === 'suite') return;
    if (isFile(name)) tally.empty.push(relative(checkout, name));
    else if (skip !== undefined || todo !== undefined) {
      const why = [skip, todo].find((reason) => typeof reason === 'string');
      tally.skipped.push(
        `${file === undefined ? '' : `${relative(checkout, file)}: `}${name}${why === undefined ? '' : ` (${why})`}`,
      );
    } else tally.passed += 1;
  });
  stream.on('test:fail', ({ details, todo }) => {
    const causedBelow =
      details.type === 'suite' &&
      details.error.cause !== undefined &&
      `${(details.error as { failureType?: string }).failureType}` === 'subtestsFailed';
    if (todo === undefined && !causedBelow) tally.failed += 1;
  });
  const report = stream.compose(new spec());
  for await (const text of report) process.stdout.write(text as string);
}

/** Tests see a home and a temporary folder of their own: the user's git settings and caches decide nothing, and nothing stays behind. */
function isolate(top: string): void {
  const folders = { HOME: join(top, 'home'), TMPDIR: join(top, 'tmp') };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  for (const name of Object.keys(process.env))
    if (/^(XDG_|VBUILD_|GIT_|AWS_|NODE_OPTIONS$|FORCE_COLOR$)/.test(name)) delete process.env[name];
  Object.assign(process.env, folders, { no_proxy: '127.0.0.1,localhost', NO_PROXY: '127.0.0.1,localhost' });
}

function stop(top: string, status: number): never {
  if (statSync(top, { throwIfNoEntry: false })) removeTree(top);
  process.exit(status);
}

function refuse(why: string): number {
  console.log(`test runner: ${why}`);
  console.log('0 passed, 1 failed');
  return 2;
}
