/** What a run says of an upstream that is no longer what was pinned: a moved tag, an archive packed anew, other content, nothing at all. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { commitAll, gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { fileServer } from '../support/http-server.ts';
import { cloneOf, type Project, projectAt } from '../support/project.ts';
import { removeTree, tempDir, type Tree, writeTree } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';

const tree = (says: string): Tree => ({
  Makefile: `install:\n\tmkdir -p $(DESTDIR)$(PREFIX)\n\techo ${says} >$(DESTDIR)$(PREFIX)/says\n`,
});

/** A Buildfile of one package, pinned. @param source The text of its source. */
async function pinned(top: string, source: string, more = ''): Promise<Project> {
  const site = projectAt(join(top, 'site'), join(top, 'home'));
  site.write({
    'Buildfile.ts': `import { defineBuild, definePackage, directoryCache, git, make, place, tarball } from 'vbuild';
const recipe = make({ variables: { PREFIX: place.prefix } });
const up = definePackage('up', { version: '1', source: ${source}, recipe });
export default defineBuild({ packages: [up]${more} });
export const used = [directoryCache, git, tarball];
`,
  });
  insistOnSuccess(await site.run(['lock']));
  return site;
}

let machines = 0;
/** On a machine that has nothing but the project. */
const elsewhere = async (site: Project, ...args: string[]): Promise<EventsOf & { readonly at: Project }> => {
  machines += 1;
  const at = cloneOf(site, `${site.path}-${machines}`, `${site.home}-${machines}`);
  return { ...(await at.build(args)), at };
};

const toldOf = ({ warnings }: EventsOf, code: string): Readonly<Record<string, string>> | undefined =>
  warnings.find((one) => one.code === code)?.facts;

async function archiveServer(t: TestContext) {
  const top = tempDir(t, 'changes');
  const www = join(top, 'www');
  writeTree(www, {});
  const publish = (says: string, repack: (tar: Buffer) => Buffer = (tar) => tar): string => {
    const bytes = repack(readFileSync(upstreamTarball(join(top, says), tree(says))));
    writeTree(www, { 'up.tar.gz': bytes });
    return digestOf(bytes);
  };
  const first = publish('one');
  const server = await fileServer(t, www);
  return { top, www, publish, first, url: `${server.url}/up.tar.gz` };
}

/** The same archive, by another compressor's hand. */
const anew = (bytes: Buffer): Buffer => {
  const header = Buffer.from(bytes);
  // The time in the header of gzip.
  header.writeUInt32LE(77, 4);
  return header;
};

test('an archive that upstream packed anew will do where its content is the pinned one, and that is said', async (t) => {
  const { top, publish, first, url } = await archiveServer(t);
  const site = await pinned(top, `tarball('${url}')`);
  const second = publish('one', anew);
  assert.notEqual(first, second);
  for (const frozen of [[], ['--frozen']]) {
    const run = insistOnSuccess(await elsewhere(site, ...frozen));
    const { expected, found } = toldOf(run, 'source-repacked') ?? {};
    const [, named, content] =
      /^up.tar.gz SHA-256 ([0-9a-f]{64}); with the tree ([0-9a-f]{64})$/.exec(expected ?? '') ?? [];
    assert.equal(named, first);
    assert.equal(found, `up.tar.gz SHA-256 ${second}; with the tree ${content}`);
    assert.equal(run.at.read('Buildfile.lock'), site.read('Buildfile.lock'));
    assert.equal(run.at.read('vendor/says'), 'one\n');
  }
  const { stdout } = insistOnSuccess(await site.run(['update', 'up']));
  assert.match(stdout, /up@1/);
  assert.ok(site.read('Buildfile.lock').includes(second));
});

test('what was built from an archive packed anew can be built again when upstream is gone', async (t) => {
  const { top, www, publish, url } = await archiveServer(t);
  mkdirSync(join(top, 'cache'));
  const site = await pinned(top, `tarball('${url}')`, `, cache: [directoryCache('${join(top, 'cache')}')]`);
  publish('one', anew);
  const { at } = insistOnSuccess(await elsewhere(site, '--frozen'));
  checkIn(at.path);
  assert.equal((await at.run(['cache', 'push', 'up'])).exitStatus, 0);
  rmSync(join(top, 'cache/v1/artifacts'), { recursive: true });
  rmSync(join(www, 'up.tar.gz'));
  const run = insistOnSuccess(await elsewhere(site, '--frozen'));
  assert.equal(run.at.read('vendor/says'), 'one\n');
  assert.equal(toldOf(run, 'source-missing')?.['cache'], join(top, 'cache'));
});

test('an archive that upstream packed anew is refused where the Buildfile has its digest, and what is the same is said', async (t) => {
  const { top, publish, first, url } = await archiveServer(t);
  const site = await pinned(top, `tarball('${url}', { sha256: '${first}' })`);
  const second = publish('one', anew);
  const run = await elsewhere(site);
  assert.equal(run.exitStatus, 1);
  const [error] = run.errors;
  assert.deepEqual(
    [error?.code, error?.headline],
    ['pin-mismatch', 'Upstream packed the source anew, with the same content'],
  );
  assert.ok(error?.facts['expected']?.includes(first) && error.facts['found']?.includes(second));
});

test('an archive of other content is refused, with both archives and both trees', async (t) => {
  const { top, publish, first, url } = await archiveServer(t);
  const site = await pinned(top, `tarball('${url}')`);
  const second = publish('two');
  const run = await elsewhere(site);
  assert.equal(run.exitStatus, 1);
  const [error] = run.errors;
  assert.deepEqual([error?.code, error?.headline], ['pin-mismatch', 'Upstream changed the content of the source']);
  const parts = (text = ''): string[] => text.split(/; with the tree /);
  const [expected, found] = [parts(error?.facts['expected']), parts(error?.facts['found'])];
  assert.deepEqual([expected[0], found[0]], [`up.tar.gz SHA-256 ${first}`, `up.tar.gz SHA-256 ${second}`]);
  assert.notEqual(expected[1], found[1]);
  assert.deepEqual(run.stages, ['up@1 fetch']);
});

test('an archive that vanished is told by its digest and the answer of the server', async (t) => {
  const { top, www, first, url } = await archiveServer(t);
  const site = await pinned(top, `tarball('${url}')`);
  rmSync(join(www, 'up.tar.gz'));
  const run = await elsewhere(site);
  assert.equal(run.exitStatus, 1);
  const [error] = run.errors;
  assert.equal(error?.code, 'source-missing');
  assert.match(error.facts['expected'] ?? '', new RegExp(`^SHA-256 ${first}, \\d+ bytes$`));
  assert.deepEqual([error.facts['found'], error.facts['url']], ['nothing, status 404', url]);
  // What replaces it by something that is no archive is another thing again.
  writeFileSync(join(www, 'up.tar.gz'), 'moved to another place');
  assert.deepEqual(
    (await elsewhere(site)).errors.map(({ code }) => code),
    ['pin-mismatch'],
  );
});

test('a tag that moved is told while the pinned commit is to be had, and is an error once it is not', async (t) => {
  const top = tempDir(t, 'changes');
  const repository = join(top, 'served/up');
  const first = makeRepository(repository, tree('one'));
  inGit(repository, 'tag', 'v1');
  const server = await gitServer(t, join(top, 'served'));
  const site = await pinned(top, `git('${server.url}/up', { rev: 'v1' })`);
  writeTree(repository, tree('two'));
  const second = commitAll(repository, 'two');
  inGit(repository, 'tag', '--force', 'v1');
  const kept = insistOnSuccess(await elsewhere(site, '--frozen'));
  assert.equal(kept.at.read('vendor/says'), 'one\n');
  const { expected, found } = toldOf(kept, 'tag-moved') ?? {};
  assert.deepEqual([expected, found], [first, second]);

  removeTree(repository);
  const third = makeRepository(repository, tree('three'));
  inGit(repository, 'tag', 'v1');
  const dropped = await elsewhere(site);
  assert.deepEqual(
    dropped.errors.map(({ code, facts }) => [code, facts['expected'], facts['found']]),
    [['pin-mismatch', first, third]],
  );

  inGit(repository, 'tag', '--delete', 'v1');
  const gone = await elsewhere(site);
  assert.deepEqual(
    gone.errors.map(({ code, facts }) => [code, facts['expected'], facts['found']]),
    [['source-missing', first, 'no such commit']],
  );
});
