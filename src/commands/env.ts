/** `vbuild env`: what exec sets, as shell assignments; or a line that binds a Python virtualenv to the prefix. */
import { quoted } from '../model/quoted.ts';
import { type Command, prefixOf, printResult } from './command.ts';
import { prefixEnvironment } from './prefix-environment.ts';

export const env: Command = async (context) => {
  const prefix = prefixOf(context);
  if (context.line.options.pth) {
    printResult(
      context,
      () => `${pthLine(prefix)}\n`,
      () => ({ format: 1, pth: pthLine(prefix) }),
    );
    return 0;
  }
  const variables = prefixEnvironment(prefix, context.env);
  const text = (): string =>
    Object.entries(variables)
      .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
      .join('');
  printResult(context, text, () => ({ format: 1, variables }));
  return 0;
};

/**
 * Python runs the lines of a .pth file that begin with `import` when it starts. This one follows the link of the prefix then, so that a
 * process stays in the generation that it started with, whatever it imports later.
 *
 * @see The documentation of Python's module `site`.
 */
const pthLine = (prefix: string): string =>
  `import os, site, sys; site.addsitedir(os.path.join(os.path.realpath(${pythonText(prefix)}), 'lib', 'python%d.%d' % sys.version_info[:2], 'site-packages'))`;

/** JSON's escapes are Python's, but for what JSON leaves as it is and Python cannot read in a file of another encoding. */
const pythonText = (text: string): string =>
  JSON.stringify(text).replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
