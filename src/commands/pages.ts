/** The commands that only print: `help` and `version`. */
import { version } from '../model/version.ts';
import type { Command } from './command.ts';
import { helpPage } from './help.ts';

export const help: Command = async ({ line, stdout }) => {
  stdout.write(helpPage(line.targets[0]));
  return 0;
};

export const printVersion: Command = async ({ stdout }) => {
  stdout.write(`vbuild ${version} (Node ${process.version})\n`);
  return 0;
};
