/** Signatures of archives, made by the real programs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import type { VbuildError } from '../../src/model/error.ts';
import { tarball, tarballKind } from '../../src/sources/tarball.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { tempDir } from '../support/temp.ts';
import { fetchTarget, sourceContext, upstreamTarball } from '../support/upstream.ts';

/** Keys are dear to make: one set for all tests. A socket of gpg's agent needs a short path. */
const home = mkdtempSync(join(tmpdir(), 'gpg-'));
chmodSync(home, 0o700);
const environment = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', GNUPGHOME: home, LC_ALL: 'C' };
const gpg = (...args: readonly string[]): Buffer =>
  execFileSync('gpg', ['--batch', '--quiet', '--no-tty', '--passphrase', '', ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const past = ['--faked-system-time', '20200101T000000!'];
gpg('--quick-gen-key', 'Upstream <up@example.org>', 'ed25519', 'sign', 'never');
gpg('--quick-gen-key', 'Other <other@example.org>', 'ed25519', 'sign', 'never');
gpg(...past, '--quick-gen-key', 'Old <old@example.org>', 'ed25519', 'sign', '20210101T000000');
const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
  gpg('--with-colons', '--list-keys', 'up@example.org').toString(),
)?.[1];
after(() => {
  execFileSync('gpgconf', ['--kill', 'all'], { env: environment });
  rmSync(home, { recursive: true, force: true });
});

function setting(t: TestContext) {
  const top = tempDir(t);
  const archive = upstreamTarball(top, { 'a.c': 'a' }, 'up-1.0.tar.gz');
  writeFileSync(join(top, 'up.gpg'), gpg('--export', 'up@example.org'));
  return { top, archive, context: sourceContext(top) };
}

const sign = (archive: string, who: string, ...more: readonly string[]): void =>
  void gpg(...more, '--local-user', who, '--armor', '--detach-sign', '--output', `${archive}.asc`, archive);

const refusal =
  (found: RegExp) =>
  (error: VbuildError): boolean => {
    assert.equal(error.code, 'signature-refused');
    assert.equal(error.where.file, 'up-1.0.tar.gz');
    assert.match(error.facts['found'] ?? '', found);
    assert.notEqual(error.mend, '');
    return true;
  };

for (const [title, exported] of [
  ['binary', ['--export']],
  ['armoured', ['--export', '--armor']],
] as const)
  test(`tarball() takes an archive with a good OpenPGP signature by a ${title} keyring, and pins who signed it`, async (t) => {
    const { top, archive, context } = setting(t);
    writeFileSync(join(top, 'up.gpg'), gpg(...exported, 'other@example.org', 'up@example.org'));
    sign(archive, 'up@example.org');
    const spec = tarball('up-1.0.tar.gz', { signature: { keyring: 'up.gpg' } });
    const pin = await tarballKind.resolve(spec, context);
    assert.equal(pin.files?.[0]?.signedBy, fingerprint);
    // From here on the digest is what counts.
    rmSync(`${archive}.asc`);
    await tarballKind.fetch(spec, pin, fetchTarget(top), context);
  });

test('tarball() reads a keyring of several armoured blocks', async (t) => {
  const { top, archive, context } = setting(t);
  const blocks = ['other@example.org', 'up@example.org'].map((who) => gpg('--export', '--armor', who).toString());
  writeFileSync(join(top, 'up.gpg'), `comment\n${blocks.join('comment\n')}`);
  sign(archive, 'up@example.org');
  const pin = await tarballKind.resolve(tarball('up-1.0.tar.gz', { signature: { keyring: 'up.gpg' } }), context);
  assert.equal(pin.files?.[0]?.signedBy, fingerprint);
});

for (const [title, who, found, more] of [
  ['an unknown key', 'other@example.org', /another key: [0-9A-F]{16}/, []],
  ['an expired key', 'old@example.org', /expired or was revoked: [0-9A-F]{16}/, past],
] as const)
  test(`tarball() refuses a signature by ${title}`, async (t) => {
    const { top, archive, context } = setting(t);
    if (title === 'an expired key') writeFileSync(join(top, 'up.gpg'), gpg('--export', 'old@example.org'));
    sign(archive, who, ...more);
    const spec = tarball('up-1.0.tar.gz', { signature: { keyring: 'up.gpg' } });
    await assert.rejects(tarballKind.resolve(spec, context), refusal(found));
  });

test('tarball() refuses an archive that was changed after it was signed, and one whose signature is none', async (t) => {
  const { top, archive, context } = setting(t);
  const spec = tarball('up-1.0.tar.gz', { signature: { keyring: 'up.gpg' } });
  sign(archive, 'up@example.org');
  upstreamTarball(top, { 'a.c': 'evil' }, 'up-1.0.tar.gz');
  await assert.rejects(tarballKind.resolve(spec, context), refusal(/other bytes/));
  writeFileSync(`${archive}.asc`, 'no signature');
  await assert.rejects(tarballKind.resolve(spec, context), refusal(/nothing that gpgv can read/));
  rmSync(`${archive}.asc`);
  await assert.rejects(tarballKind.resolve(spec, context), { code: 'source-missing' });
});

test('tarball() verifies an archive that is here already, and names a keyring that is not', async (t) => {
  const { archive, context } = setting(t);
  sign(archive, 'other@example.org');
  const plain = await tarballKind.resolve(tarball('up-1.0.tar.gz'), context);
  const sha256 = plain.files?.[0]?.digest ?? '';
  await assert.rejects(
    tarballKind.resolve(tarball('up-1.0.tar.gz', { sha256, signature: { keyring: 'up.gpg' } }), context),
    refusal(/another key/),
  );
  await assert.rejects(
    tarballKind.resolve(tarball('up-1.0.tar.gz', { signature: { keyring: 'gone.gpg' } }), context),
    (error: VbuildError) => {
      assert.equal(error.code, 'source-missing');
      assert.match(error.where.file ?? '', /gone\.gpg$/);
      return true;
    },
  );
  await assert.rejects(
    tarballKind.resolve(tarball('up-1.0.tar.gz', { signature: { keyring: 'up.gpg' } }), {
      ...context,
      environment: { PATH: context.state },
    }),
    (error: VbuildError) => error.code === 'tool-missing' && error.mend.includes('apt-get install gpgv'),
  );
});

test('tarball() finds the signature beside the archive on a server, or where it is told', async (t) => {
  const { top, archive, context } = setting(t);
  sign(archive, 'up@example.org');
  const server = await httpServer(t, (request, response) => {
    const path = new URL(request.url ?? '', 'http://x').pathname;
    if (path === '/dl/up-1.0.tar.gz') serve(request, response, readFileSync(archive));
    else if (path === '/dl/up-1.0.tar.gz.asc' || path === '/sigs/1')
      serve(request, response, readFileSync(`${archive}.asc`));
    else response.writeHead(404).end();
  });
  for (const url of [undefined, `${server.url}/sigs/1`]) {
    const signature = { keyring: 'up.gpg', ...(url !== undefined && { url }) };
    const spec = tarball(`${server.url}/dl/up-1.0.tar.gz?mirror=1`, { signature });
    assert.equal((await tarballKind.resolve(spec, context)).files?.[0]?.signedBy, fingerprint);
  }
  assert.ok(top);
});

interface MinisignKeys {
  readonly publicKey: string;
  readonly sign: (file: string, ...more: readonly string[]) => void;
}

function minisignKeys(top: string, name: string): MinisignKeys {
  const folder = join(top, name);
  mkdirSync(folder);
  const [secret, published] = [join(folder, 'key'), join(folder, 'key.pub')];
  execFileSync('minisign', ['-G', '-W', '-p', published, '-s', secret], { stdio: ['ignore', 'ignore', 'pipe'] });
  return {
    publicKey: readFileSync(published, 'utf8').split('\n')[1] ?? '',
    sign: (file, ...more) =>
      void execFileSync('minisign', ['-S', '-s', secret, '-m', file, '-t', 'version 1.0', ...more], {
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
  };
}

for (const [title, more] of [
  ['prehashed', []],
  ['legacy', ['-l']],
] as const)
  test(`tarball() verifies a ${title} signature of minisign, its trusted comment included`, async (t) => {
    const { top, archive, context } = setting(t);
    const ours = minisignKeys(top, 'ours');
    const others = minisignKeys(top, 'others');
    const spec = tarball('up-1.0.tar.gz', { signature: { minisignKey: ours.publicKey } });
    assert.deepEqual(tarballKind.problems(spec), []);
    ours.sign(archive, ...more);
    const pin = await tarballKind.resolve(spec, context);
    assert.match(pin.files?.[0]?.signedBy ?? '', /^[0-9A-F]{16}$/);

    const signature = `${archive}.minisig`;
    const good = readFileSync(signature, 'utf8');
    writeFileSync(signature, good.replace('version 1.0', 'version 9.9'));
    await assert.rejects(tarballKind.resolve(spec, context), refusal(/tampered/));
    writeFileSync(signature, 'no signature\n');
    await assert.rejects(tarballKind.resolve(spec, context), refusal(/something else/));
    others.sign(archive, ...more);
    await assert.rejects(tarballKind.resolve(spec, context), refusal(/another key/));
    writeFileSync(signature, good);
    upstreamTarball(top, { 'a.c': 'evil' }, 'up-1.0.tar.gz');
    await assert.rejects(tarballKind.resolve(spec, context), refusal(/other bytes/));
  });

const key = `RW${'A'.repeat(54)}`;
for (const [title, signature, problem] of [
  ['nothing', {}, /one of them/],
  ['a string', 'up.gpg', /must name a keyring/],
  ['both', { keyring: 'a', minisignKey: key }, /one of them/],
  ['an empty keyring', { keyring: '' }, /signature\.keyring/],
  ['a key that is a file', { minisignKey: 'minisign.pub' }, /signature\.minisignKey/],
  ['a place that is none', { keyring: 'a', url: 'ftp://x/y' }, /signature\.url: /],
] as const)
  test(`tarball() refuses ${title} for a signature`, () => {
    assert.match(
      tarballKind.problems(tarball('a.tar', { signature: signature as { keyring: string } })).join('; '),
      problem,
    );
  });

test('tarball() says before any work that gpgv is needed', () => {
  assert.deepEqual(tarballKind.needs?.(tarball('a.tar.xz', { signature: { keyring: 'k' } })), ['xz', 'gpgv']);
  assert.deepEqual(tarballKind.needs?.(tarball('a.tar.gz', { also: [{ from: 'b.tar.lz', into: 'b' }] })), ['lzip']);
});
