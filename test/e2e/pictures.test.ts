/** What a project and its runs look like from outside: graph, trace and report, in a real browser where there is something to see. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PackageGraph } from '../../src/model/graph.ts';
import type { RunRecord } from '../../src/model/run-record.ts';
import { openPage, skipWithoutChromium } from '../support/chromium.ts';
import { insistOnSuccess } from '../support/events.ts';
import { cloneOf, leafPatch, type Project, project } from '../support/project.ts';
import { startProgram, vbuildBin } from '../support/vbuild.ts';

const said = async (site: Project, ...args: readonly string[]): Promise<string> =>
  insistOnSuccess(await site.run(args)).stdout;

async function standingsOf(site: Project, ...args: readonly string[]): Promise<Record<string, string>> {
  const { format, packages } = JSON.parse(await said(site, 'graph', ...args, '--json')) as PackageGraph & {
    readonly format: number;
  };
  assert.equal(format, 1);
  return Object.fromEntries(packages.map((one) => [one.package, one.standing]));
}

test('a graph shows where each package stands, in every form', async (t) => {
  const site = project(t);
  assert.deepEqual(new Set(Object.values(await standingsOf(site))), new Set(['unpinned']));
  insistOnSuccess(await site.build(['branch', 'lone']));
  assert.deepEqual(await standingsOf(site), {
    'leaf@1.0': 'fresh',
    'branch@2.0': 'fresh',
    'gen@0.1': 'unpinned',
    'app@1.0': 'unpinned',
    'lone@1.0': 'fresh',
  });
  insistOnSuccess(await site.run(['lock']));
  assert.deepEqual(await standingsOf(site, 'app'), {
    'leaf@1.0': 'fresh',
    'branch@2.0': 'fresh',
    'gen@0.1': 'stale',
    'app@1.0': 'stale',
  });
  assert.deepEqual(
    new Set(Object.values(await standingsOf(cloneOf(site, `${site.path}-clone`), 'branch'))),
    new Set(['cached']),
  );

  site.write({ 'patches/leaf/value.patch': leafPatch(3).replace('return 3;', 'return 3') });
  assert.equal((await site.build(['branch'])).exitStatus, 1);
  const tree = `app@1.0         stale              never made ready here
├─ branch@2.0   stale              follows leaf
│  └─ leaf@1.0  failed in compile  patch 1 changed
└─ gen@0.1      stale              never made ready here, only to build
lone@1.0        fresh
`;
  assert.equal(await said(site, 'graph'), tree);
  const [svg, dot, mermaid] = await Promise.all(
    ['--svg', '--dot', '--mermaid'].map((form) => said(site, 'graph', form)),
  );
  assert.match(svg ?? '', /<title>Packages and what they need: 1 fresh, 3 stale, 1 failed<\/title>/);
  assert.match(svg ?? '', /<g class="vg-follows"><path class="vg-edge"/);
  assert.match(dot ?? '', /"app@1.0" -> "gen@0.1" \[style=dashed\];/);
  assert.match(mermaid ?? '', /p0\{\{"leaf@1.0<br>failed in compile<br>patch 1 changed"\}\}:::failed/);

  site.write({ 'patches/leaf/value.patch': leafPatch(2) });
  assert.equal((await standingsOf(site))['leaf@1.0'], 'fresh');
  // The failure was of another patch: it says nothing about this state.
  rmSync(join(site.home, '.cache/vbuild/v1/artifacts/leaf'), { recursive: true });
  rmSync(join(site.path, 'vendor'), { recursive: true });
  assert.match(await said(site, 'graph', 'leaf'), /^leaf@1.0 +stale +its artifact is gone$/m);

  const clash = await site.run(['graph', '--svg', '--dot']);
  assert.match(clash.stderr, /Options --svg and --dot contradict each other/);
});

const runOf = (trace: string): RunRecord => (JSON.parse(readFileSync(trace, 'utf8')) as { vbuild: RunRecord }).vbuild;

const tracesOf = (site: Project): string[] => {
  const folder = join(site.path, '.vbuild/Buildfile/traces');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
};

/** Of each package what came of it, and what it was worked on for. */
const toldBy = ({ packages }: RunRecord): Record<string, string> =>
  Object.fromEntries(
    packages.map(({ package: id, outcome, work }) => [id, [outcome, ...work.map(({ what }) => what)].join(' ')]),
  );

test('every run that does something leaves a trace, and a report is made of it', {
  skip: skipWithoutChromium,
}, async (t) => {
  const site = project(t);
  const none = await site.run(['report']);
  assert.deepEqual([none.exitStatus, /There is no run to report/.test(none.stderr)], [3, true]);

  insistOnSuccess(await site.run(['app']));
  const [first = ''] = tracesOf(site);
  const all = 'built fetch patch compile pack';
  assert.deepEqual(toldBy(runOf(first)), { 'leaf@1.0': all, 'branch@2.0': all, 'gen@0.1': all, 'app@1.0': all });
  insistOnSuccess(await site.run(['app']));
  assert.equal(tracesOf(site).length, 1, 'a run with nothing to do left a trace');
  insistOnSuccess(await site.run(['app', '--trace', 'out/nothing.json']));
  assert.deepEqual(new Set(Object.values(toldBy(runOf(join(site.path, 'out/nothing.json'))))), new Set(['fresh']));

  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  insistOnSuccess(await site.run(['app', '--trace', 'again.json']));
  const again = runOf(join(site.path, 'again.json'));
  assert.deepEqual(again, runOf(tracesOf(site).at(-1) ?? ''));
  assert.deepEqual(toldBy(again), {
    'leaf@1.0': 'built patch compile pack',
    'branch@2.0': 'built compile pack',
    'gen@0.1': 'fresh',
    'app@1.0': 'built compile pack',
  });
  const leaf = again.packages.find((one) => one.package === 'leaf@1.0');
  assert.deepEqual(
    leaf?.answers.map(({ tier, answer }) => `${tier} ${answer}`),
    ['disk absent'],
  );
  assert.equal(leaf?.work[0]?.reasons[0]?.input, 'patch.001');
  assert.deepEqual(
    leaf?.work[1]?.steps.map(({ group }) => group),
    ['build', 'install'],
  );
  assert.ok((leaf?.before.compile ?? 0) > 0 && (leaf?.sizeBytes ?? 0) > 0);
  for (const { work } of again.packages)
    for (const { startMs, endMs } of work) assert.ok(0 <= startMs && startMs <= endMs && endMs <= again.durationMs);

  for (const made of ['.vbuild/Buildfile/stamps', 'vendor']) rmSync(join(site.path, made), { recursive: true });
  insistOnSuccess(await site.run(['app']));
  const restored = tracesOf(site).at(-1) ?? '';
  assert.deepEqual(new Set(Object.values(toldBy(runOf(restored)))), new Set(['restored restore']));

  site.write({ 'patches/leaf/value.patch': leafPatch(4).replace('return 4;', 'return 4') });
  for (let n = 0; n < 3; n += 1) assert.equal((await site.run(['app'])).exitStatus, 1);
  assert.equal(tracesOf(site).length, 5, 'more traces are kept than five, or fewer');
  const failed = runOf(tracesOf(site).at(-1) ?? '');
  assert.deepEqual(toldBy(failed), {
    'leaf@1.0': 'failed compile',
    'branch@2.0': 'skipped',
    'app@1.0': 'skipped',
    'gen@0.1': 'fresh',
  });
  assert.deepEqual(failed.packages[0]?.error?.stage, 'compile');

  assert.equal(await said(site, 'report'), '.vbuild/Buildfile/report.html\n');
  assert.equal(await said(site, 'report', '--trace', 'again.json', '-o', 'again.html'), 'again.html\n');
  assert.equal(await said(site, 'report', '--trace', 'again.json', '-o', '-'), site.read('again.html'));
  const wrong = await site.run(['report', '--trace', 'Buildfile.ts']);
  assert.deepEqual([wrong.exitStatus, /File is no trace of vbuild/.test(wrong.stderr)], [2, true]);

  const backgrounds: string[] = [];
  for (const [file, width, scheme, headline] of [
    ['again.html', 1280, 'light', 'app ready (generation 2): 3 built and 1 fresh in'],
    ['again.html', 390, 'dark', 'app ready (generation 2): 3 built and 1 fresh in'],
    ['.vbuild/Buildfile/report.html', 1280, 'dark', 'app: leaf@1.0 failed'],
  ] as const) {
    const page = await openPage(t, join(site.path, file), { width, scheme });
    const heading = await page.evaluate<string>("document.querySelector('h1').textContent");
    assert.ok(heading.startsWith(headline), heading);
    const shown = await page.evaluate<string>('document.body.innerText');
    const words = ['Timeline', 'Critical path', 'leaf', 'disk absent', ...(file === 'again.html' ? ['patch.001'] : [])];
    for (const word of words) assert.ok(shown.includes(word), word);
    assert.equal(
      await page.evaluate('document.documentElement.scrollWidth'),
      width,
      `${file} is wider than the window`,
    );
    const outside = `[...document.querySelectorAll('.bar')].filter((bar) => {
      const [inner, outer] = [bar, bar.parentElement].map((one) => one.getBoundingClientRect());
      return inner.width < 2 || inner.left < outer.left - 1 || inner.right > outer.right + 3;
    }).length`;
    assert.equal(await page.evaluate(outside), 0, 'a bar is outside of its track');
    backgrounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    const picture = join(site.path, `${scheme}-${width}.png`);
    await page.screenshot(picture);
    assert.ok(readFileSync(picture).length > 20_000, 'the page looks empty');
    assert.deepEqual([page.requests, page.complaints], [[], []]);
  }
  assert.equal(new Set(backgrounds).size, 2, 'light and dark look the same');
});

test('a run that is interrupted leaves a trace of what it had begun', async (t) => {
  const site = project(t);
  site.edit(
    'Buildfile.ts',
    "lone-1.0.tar.gz'),\n  recipe: make(options)",
    "lone-1.0.tar.gz'),\n  recipe: make({ ...options, before: ['echo begun; sleep 600'] })",
  );
  const { child, ended } = startProgram([vbuildBin, 'lone'], { cwd: site.path, home: site.home });
  const log = join(site.path, '.vbuild/Buildfile/logs/lone_1.0/1.log');
  const begun = (): boolean => {
    try {
      return readFileSync(log, 'utf8').includes('begun\n');
    } catch {
      return false;
    }
  };
  const over = ended.then(() => true);
  while (!begun() && !(await Promise.race([over, sleep(50, false)])));
  child.kill('SIGTERM');
  assert.equal((await ended).exitStatus, 143);
  const run = runOf(tracesOf(site).at(-1) ?? '');
  assert.deepEqual([toldBy(run), run.exitStatus >= 128], [{ 'lone@1.0': 'unfinished fetch patch compile' }, true]);
  assert.ok(run.packages[0]?.work.at(-1)?.failed);
});

test('in a picture of the graph every text lies inside its outline', { skip: skipWithoutChromium }, async (t) => {
  const site = project(t);
  insistOnSuccess(await site.run([]));
  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  const file = join(site.path, 'graph.svg');
  writeFileSync(file, await said(site, 'graph', '--svg'));
  const page = await openPage(t, file, { width: 1000, scheme: 'dark' });
  const spilt = `[...document.querySelectorAll('.vg-shape')].filter((shape) => {
    const outer = shape.getBoundingClientRect();
    const texts = [...shape.parentNode.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
    return texts.length !== 2 || texts.some(({ left, right }) => left < outer.left || right > outer.right - 4);
  }).map((shape) => shape.parentNode.textContent)`;
  assert.deepEqual(await page.evaluate(spilt), []);
  assert.equal(await page.evaluate("document.querySelectorAll('.vg-shape').length"), 5);
  assert.deepEqual([page.requests, page.complaints], [[], []]);
});
