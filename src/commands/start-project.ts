/** `vbuild init` as a command: writes the first files and says what became of each. */
import { buildfileOf, type Command } from './command.ts';
import { init } from './init.ts';

export const startProject: Command = async (context) => {
  const words = {
    written: 'wrote',
    extended: 'added lines to',
    current: 'is up to date:',
    kept: 'left alone',
  } as const;
  for (const { file, outcome, hint } of init(buildfileOf(context))) {
    context.stdout.write(`${words[outcome]} ${file}${hint === undefined ? '' : ` (${hint})`}\n`);
  }
  return 0;
};
