/** The commands that only print: `help` and `version`. */
import { version } from '../model/version.ts';
import type { Command } from './command.ts';
import { helpData } from './help-data.ts';
import { helpPage } from './help.ts';
import { printResult } from './print-result.ts';

export const help: Command = async (context) => {
  const [name] = context.line.targets;
  printResult(
    context,
    () => helpPage(name),
    () => ({ format: 1, commands: helpData(name) }),
  );
  return 0;
};

export const printVersion: Command = async (context) => {
  printResult(
    context,
    () => `vbuild ${version} (Node ${process.version})\n`,
    () => ({ format: 1, vbuild: version, node: process.version }),
  );
  return 0;
};
