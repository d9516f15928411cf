/** Keys and signatures of minisign, against the tool itself in both directions. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  minisign,
  minisignHolds,
  minisignKey,
  type MinisignKey,
  minisignKeyText,
  type MinisignSecretKey,
  minisignSecretKey,
  minisignSignature,
  minisignSigned,
  newMinisignKey,
} from '../../src/key/minisign.ts';
import { tempDir } from '../support/temp.ts';

const hasTool = spawnSync('minisign', ['-v']).error === undefined;
const skip = hasTool || process.env['CI'] ? false : 'no minisign here: apt-get install minisign';
const tool = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('minisign', args, { cwd, encoding: 'utf8', stdio: 'pipe' });

const payload = Buffer.from('{"format":1}\n');

function made(): { readonly secret: MinisignSecretKey; readonly key: MinisignKey; readonly publicFile: string } {
  const { secretFile, publicFile } = newMinisignKey();
  const secret = minisignSecretKey(secretFile);
  const key = minisignKey(publicFile.split('\n')[1] ?? '');
  assert.ok(secret !== undefined && secret !== 'encrypted' && key !== undefined);
  return { secret, key, publicFile };
}

/** Whether a signature holds for these bytes. */
function holds(key: MinisignKey, text: string, bytes: Uint8Array): boolean {
  const signature = minisignSignature(text);
  return signature !== undefined && minisignHolds(key, signature, minisignSigned(signature, bytes));
}

test('the tool verifies what a key of ours has signed, trusted comment included', { skip }, (t) => {
  const folder = tempDir(t);
  const { secret, key, publicFile } = made();
  writeFileSync(join(folder, 'payload'), payload);
  writeFileSync(join(folder, 'payload.minisig'), minisign(secret, payload, 'zlib of CI'));
  writeFileSync(join(folder, 'key.pub'), publicFile);
  assert.match(tool(folder, '-V', '-m', 'payload', '-p', 'key.pub'), /Trusted comment: zlib of CI/);
  assert.match(tool(folder, '-V', '-H', '-m', 'payload', '-P', minisignKeyText(key)), /verified/);
  writeFileSync(join(folder, 'payload'), '{"format":2}\n');
  assert.throws(() => tool(folder, '-V', '-m', 'payload', '-p', 'key.pub'), /Signature verification failed/);
});

test('the tool signs with a secret key of ours and gets the public key from it', { skip }, (t) => {
  const folder = tempDir(t);
  const { secretFile, publicFile } = newMinisignKey();
  writeFileSync(join(folder, 'key'), secretFile, { mode: 0o600 });
  writeFileSync(join(folder, 'payload'), payload);
  tool(folder, '-R', '-s', 'key', '-p', 'again.pub');
  assert.equal(readFileSync(join(folder, 'again.pub'), 'utf8').split('\n')[1], publicFile.split('\n')[1]);
  tool(folder, '-S', '-W', '-s', 'key', '-m', 'payload');
  const key = minisignKey(publicFile.split('\n')[1] ?? '') ?? assert.fail();
  assert.ok(holds(key, readFileSync(join(folder, 'payload.minisig'), 'utf8'), payload));
});

test('keys that the tool made sign and verify here, in its old form as well', { skip }, (t) => {
  const folder = tempDir(t);
  tool(folder, '-G', '-W', '-p', 'key.pub', '-s', 'key');
  writeFileSync(join(folder, 'payload'), payload);
  const key = minisignKey(readFileSync(join(folder, 'key.pub'), 'utf8').split('\n')[1] ?? '') ?? assert.fail();
  for (const form of [[], ['-l']]) {
    tool(folder, '-S', '-W', ...form, '-s', 'key', '-m', 'payload', '-t', 'by the tool');
    const text = readFileSync(join(folder, 'payload.minisig'), 'utf8');
    assert.equal(minisignSignature(text)?.over, form.length === 0 ? 'blake2b512' : 'file');
    assert.equal(minisignSignature(text)?.keyId, key.id);
    assert.ok(holds(key, text, payload));
    assert.ok(!holds(key, text, Buffer.from('other')));
    assert.ok(!holds(key, text.replace('by the tool', 'by a liar'), payload));
  }
  const secret = minisignSecretKey(readFileSync(join(folder, 'key'), 'utf8'));
  assert.ok(secret !== undefined && secret !== 'encrypted');
  assert.equal(secret.id, key.id);
  writeFileSync(join(folder, 'payload.minisig'), minisign(secret, payload, 'by us'));
  assert.match(tool(folder, '-V', '-m', 'payload', '-p', 'key.pub'), /by us/);
});

test('a signature holds for its bytes and its key alone', () => {
  const [one, other] = [made(), made()];
  const text = minisign(one.secret, payload, 'comment');
  assert.ok(holds(one.key, text, payload));
  assert.ok(!holds(other.key, text, payload));
  assert.ok(!holds({ ...one.key, bytes: other.key.bytes }, text, payload));
  assert.ok(!holds(one.key, text, payload.subarray(1)));
  for (const line of [1, 3]) {
    const lines = text.split('\n');
    const bytes = Buffer.from(lines[line] ?? '', 'base64');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    lines[line] = bytes.toString('base64');
    assert.ok(!holds(one.key, lines.join('\n'), payload), `line ${line}`);
  }
});

const strangers = ['', 'x', 'untrusted comment: x\n', 'RWQ=', Buffer.alloc(158).toString('base64'), 'a\nb\nc'];
for (const text of strangers) {
  test(`${JSON.stringify(text.slice(0, 30))} is no key and no signature`, () => {
    assert.equal(minisignKey(text), undefined);
    assert.equal(minisignSignature(text), undefined);
    assert.equal(minisignSecretKey(text), undefined);
  });
}

test('a secret key is read from its base64 alone, refused when its halves differ, and told when it has a password', () => {
  const { secretFile } = newMinisignKey();
  const line = secretFile.split('\n')[1] ?? '';
  const whole = minisignSecretKey(secretFile);
  assert.deepEqual(minisignSecretKey(` ${line}\n`), whole);
  const bytes = Buffer.from(line, 'base64');
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  assert.equal(minisignSecretKey(bytes.toString('base64')), undefined);
  bytes.write('Sc', 2);
  assert.equal(minisignSecretKey(bytes.toString('base64')), 'encrypted');
});
