/** `vbuild init` as a command: writes the first files and says what became of each. */
import { dirname } from 'node:path';
import { buildfileOf, type Command, printResult } from './command.ts';
import { init } from './init.ts';

export const startProject: Command = async (context) => {
  const words = {
    written: 'wrote',
    extended: 'added lines to',
    current: 'is up to date:',
    kept: 'left alone',
  } as const;
  const buildfile = buildfileOf(context);
  const files = init(buildfile);
  printResult(
    context,
    () =>
      files
        .map(({ file, outcome, hint }) => `${words[outcome]} ${file}${hint === undefined ? '' : ` (${hint})`}\n`)
        .join(''),
    () => ({ format: 1, folder: dirname(buildfile), files }),
  );
  return 0;
};
