/** `vbuild env`: what exec sets, as shell assignments. */
import { quoted } from '../compile/quoted.ts';
import { type Command, prefixOf, printResult } from './command.ts';
import { prefixEnvironment } from './prefix-environment.ts';

export const env: Command = async (context) => {
  const variables = prefixEnvironment(prefixOf(context), context.env);
  const text = (): string =>
    Object.entries(variables)
      .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
      .join('');
  printResult(context, text, () => variables);
  return 0;
};
