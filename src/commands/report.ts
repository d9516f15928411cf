/** `vbuild report`: one page about a run, for people. */
import { join, resolve } from 'node:path';
import { runIn, tracesIn } from '../build/traces.ts';
import { VbuildError } from '../model/error.ts';
import { pathFrom } from '../report/words.ts';
import { writeAtomically } from '../system/files.ts';
import { type Command, printResult, workspaceFor } from './command.ts';

export const report: Command = async (context) => {
  const { cwd, line, stdout } = context;
  const { output, trace: given } = line.options;
  if (output === '-' && line.options.json)
    throw new VbuildError('usage', 'Page and JSON cannot both go to stdout', {
      mend: 'name a file with -o, or leave out --json: the document holds the run that the page shows',
    });
  const workspace = workspaceFor(context);
  const trace = given === undefined ? tracesIn(workspace).at(-1) : resolve(cwd, given);
  if (trace === undefined)
    throw new VbuildError('not-ready', 'There is no run to report', {
      facts: { expected: `a trace in ${workspace.state}`, found: 'none' },
      mend: 'run vbuild first; a run with nothing to do leaves no trace',
    });
  const run = runIn(trace);
  const { runPage } = await import('../report/run-page.ts');
  if (output === '-') {
    stdout.write(runPage(run));
    return 0;
  }
  const page = output === undefined ? join(workspace.state, 'report.html') : resolve(cwd, output);
  writeAtomically(page, runPage(run));
  printResult(
    context,
    () => `${pathFrom(cwd, page)}\n`,
    () => ({ format: 1, report: page, trace, run }),
  );
  return 0;
};
