/** A shell where the steps of a package run: same places, same environment, same namespace. */
import { withPlaces } from './environment.ts';
import { quoted } from '../model/quoted.ts';
import type { Step, StepGroup } from './recipe.ts';
import { sharing } from './sharing.ts';
import { bound, commandOf, makeVariables, pasteable, type StepsFrame } from './step-command.ts';

interface StepShell {
  /** Runs a command, a shell too, as a step of the group would be run. */
  readonly argvFor: (command: readonly string[]) => readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** For an interactive bash to read first: its prompt, and a function `step` that lists the steps and runs one by its number. */
  readonly greeting: string;
}

/** @param group Decides in which folder it begins, and how many jobs a make may run. */
export function stepShell(frame: StepsFrame, group: StepGroup | undefined, prompt: string): StepShell {
  const lineOf = (step: Step) => {
    const way = sharing(step, { environment: frame.environment, tools: frame.tools ?? {}, named: false });
    const { jobserver: _, ...alone } = frame;
    return { ...commandOf(alone, step, way, alone.jobs), variables: makeVariables(alone, way, alone.jobs) };
  };
  const first = frame.steps.find((step) => step.group === group);
  const { folder, cwd, environment, variables } = lineOf(first ?? { group: group ?? 'build', run: 'true' });
  const steps = frame.steps.map((step) => ({ step, line: lineOf(step) }));
  const named = steps.map(({ step }, at) => `${at + 1}  ${step.group}  ${titleOf(step, frame)}`);
  const cases = steps.map(({ line }, at) => {
    const exports = Object.entries(line.variables).map(([name, value]) => `export ${name}=${quoted(value)}; `);
    return `    ${at + 1}) (${exports.join('')}${pasteable(line)}) ;;`;
  });
  return {
    argvFor: (command) => bound(frame, folder, ['/bin/sh', '-c', 'umask 022 && exec "$@"', 'shell', ...command]),
    cwd,
    environment: { ...environment, ...variables },
    greeting: `PS1=${quoted(`${prompt.replaceAll('\\', '')} \\W\\$ `)}
step() {
  case \${1-} in
${cases.join('\n')}
    *) printf '%s\\n' ${named.map(quoted).join(' ')} ;;
  esac
}
`,
  };
}

const titleOf = ({ run }: Step, { places, jobs }: StepsFrame): string => {
  const words = typeof run === 'string' ? run.trim() : run.map(quoted).join(' ');
  return withPlaces(words.split('\n')[0] ?? '', places, jobs);
};
