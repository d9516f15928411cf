/** `vbuild shell PACKAGE [STAGE] [-- COMMAND…]`: a shell, or one command, in the tree and environment of a stage. */
import { type Opened, openTree, type ShellStage, shellStages } from '../build/hand-shell.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTarget } from '../buildfile/targets.ts';
import { pathFrom } from '../report/words.ts';
import { inForeground, isInteractive } from '../system/foreground.ts';
import { buildRequest } from './build.ts';
import { type Command, type CommandContext, openProject } from './command.ts';
import { wordAmong } from './word-among.ts';

export const shell: Command = async (context) => {
  const [name = '', word = 'compile'] = context.line.targets;
  const project = await openProject(context);
  const one = selectTarget(project.build, name);
  const stage = wordAmong(word, shellStages, 'Package has no such stage');
  return openTree(one, stage, buildRequest(context, project, [one]), async (opened) => {
    const command = context.line.rest;
    if (command.length === 0 && isInteractive()) say(context, packageId(one), stage, opened);
    // What it draws must not run into what is typed.
    context.reporter.end();
    return await inForeground(started(context, opened, command));
  });
};

function started(
  { env }: CommandContext,
  opened: Opened,
  command: readonly string[],
): Parameters<typeof inForeground>[0] {
  const { cwd, argvFor, greeting, environment } = opened;
  const interactive = command.length === 0 && isInteractive();
  const bash = [
    'bash',
    '--noprofile',
    ...(greeting === undefined || !interactive ? ['--norc'] : ['--rcfile', greeting]),
  ];
  const argv = command.length > 0 ? command : environment === undefined ? [env['SHELL'] ?? '/bin/sh'] : bash;
  const own = environment ?? env;
  // The one thing that a person needs otherwise than a step.
  return {
    argv: argvFor(argv),
    cwd,
    env: interactive && environment !== undefined ? { ...own, TERM: env['TERM'] } : own,
  };
}

function say({ cwd, reporter }: CommandContext, id: string, stage: ShellStage, { tree, kept, greeting }: Opened): void {
  reporter.event({
    type: 'notice',
    level: 'info',
    code: 'shell-opened',
    headline: 'Nothing that is done in this shell becomes an artifact',
    package: `${id}, stage ${stage}`,
    facts: {
      tree: `${pathFrom(cwd, tree)} (${kept ? 'as the last run left it' : 'made just now'})`,
      ...(greeting !== undefined && { steps: '"step" lists them, "step 2" runs the second one' }),
      end: 'exit',
    },
  });
}
