/** `vbuild key new FILE`: a pair of keys to sign artifacts with. */
import { basename, resolve } from 'node:path';
import { newMinisignKey } from '../key/minisign.ts';
import { VbuildError } from '../model/error.ts';
import { entryAt } from '../system/files.ts';
import { writeOnce } from '../system/landing.ts';
import { type Command, printResult } from './command.ts';

export const keyNew: Command = async (context) => {
  const secretFile = resolve(context.cwd, context.line.targets[0] ?? '');
  const publicFile = `${secretFile}.pub`;
  const pair = newMinisignKey();
  // Looked at before either is written, so that no half of a pair is made for nothing.
  for (const file of [secretFile, publicFile]) if (entryAt(file) !== undefined) throw taken(file);
  if (!writeOnce(secretFile, pair.secretFile, 0o600)) throw taken(secretFile);
  if (!writeOnce(publicFile, pair.publicFile)) throw taken(publicFile);
  const publicKey = pair.publicFile.split('\n')[1] ?? '';
  printResult(
    context,
    () =>
      `wrote the secret key ${pair.id} to ${secretFile}: keep it to yourself\nwrote the public key to ${publicFile}; for trust.keys of the Buildfile:\n  { name: '${basename(secretFile)}', publicKey: '${publicKey}', role: 'ci' },\n`,
    () => ({ format: 1, id: pair.id, publicKey, secretFile, publicFile }),
  );
  return 0;
};

const taken = (file: string): VbuildError =>
  new VbuildError('usage', 'There is a file already', {
    where: { file },
    mend: 'name another one; a key that has signed something may be needed for longer',
  });
