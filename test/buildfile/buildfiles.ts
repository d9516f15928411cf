/** Writes Buildfiles into a folder of a test's own and reads them. */
import { join } from 'node:path';
import { loadBuildfile } from '../../src/buildfile/load.ts';
import type { Build } from '../../src/buildfile/package.ts';
import { validate } from '../../src/buildfile/validate.ts';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import { type Tree, type WithCleanUp, tempDir, writeTree } from '../support/temp.ts';

/** The absolute path of a `Buildfile.ts` of this text, with other files beside it. */
export function buildfile(t: WithCleanUp, text: string, others: Tree = {}): string {
  const folder = tempDir(t, 'buildfile');
  writeTree(folder, { 'Buildfile.ts': text, ...others });
  return join(folder, 'Buildfile.ts');
}

/** Loads and checks a Buildfile. */
export async function read(path: string): Promise<Build> {
  return validate((await loadBuildfile(path)).definition);
}

/** Every problem with which a Buildfile is refused; fails if it is not. */
export async function problems(path: string): Promise<readonly VbuildError[]> {
  const thrown: unknown = await read(path).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof VbuildErrors) return thrown.errors;
  if (thrown instanceof VbuildError) return [thrown];
  throw thrown instanceof Error ? thrown : new Error('the Buildfile was taken');
}

/** What tests look at in a problem: its place by file name and line, its headline, what was expected and found. */
export const outline = ({ code, message, where, facts }: VbuildError): Readonly<Record<string, string>> => ({
  code,
  message,
  place: `${where.file?.split('/').at(-1)}:${where.line}`,
  ...(where.package !== undefined && { package: where.package }),
  ...facts,
});
