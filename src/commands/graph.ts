/** `vbuild graph [TARGET…]`: which package needs which, and where each one stands, as a tree or as a picture. */
import { packageGraph } from '../build/standings.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { graphText } from '../report/graph-text.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, openProject, printResult } from './command.ts';

export const graph: Command = async (context) => {
  const { options, targets } = context.line;
  const project = await openProject(context);
  const selected = targets.length === 0 ? [] : selectTargets(project.build, targets);
  const made = packageGraph(selected, { ...project, platform: hostPlatform() });
  const draw = options.svg
    ? (await import('../report/graph-svg.ts')).graphSvg
    : options.dot
      ? (await import('../report/graph-code.ts')).graphDot
      : options.mermaid
        ? (await import('../report/graph-code.ts')).graphMermaid
        : graphText;
  printResult(
    context,
    () => draw(made),
    () => ({ format: 1, ...made }),
  );
  return 0;
};
