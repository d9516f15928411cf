/** `vbuild exec -- COMMAND`: becomes a program that sees the prefix. */
import { join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { isExecutable, isFolder } from '../system/files.ts';
import { becomeProgram } from '../system/become.ts';
import { type Command, prefixOf } from './command.ts';
import { prefixEnvironment } from './prefix-environment.ts';

export const exec: Command = async (context) => {
  const { cwd, line } = context;
  const env = { ...context.env, ...prefixEnvironment(prefixOf(context), context.env) };
  const [program = '', ...args] = line.rest;
  const places = program.includes('/')
    ? [join(program.startsWith('/') ? '/' : cwd, program)]
    : (env.PATH ?? '').split(':').map((folder) => join(folder, program));
  const file = places.find((place) => isExecutable(place) && !isFolder(place));
  if (file === undefined) {
    throw new VbuildError('usage', 'There is no such program', {
      facts: { expected: program, found: 'nothing on the PATH' },
      mend: 'check its name; the prefix comes first on the PATH, then your own',
    });
  }
  becomeProgram(file, [program, ...args], env, cwd);
};
