/** `vbuild graph [TARGET…]`: which package needs which, and where each one stands, as a tree or as a picture. */
import { pinsHere } from '../build/pins-here.ts';
import { packageGraph } from '../build/standings.ts';
import { selectTargets } from '../buildfile/targets.ts';
import type { PackageGraph } from '../model/graph.ts';
import { graphText } from '../report/graph-text.ts';
import { pinsHereText } from '../report/pins-text.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, openProject, printResult } from './command.ts';

export const graph: Command = async (context) => {
  const { options, targets } = context.line;
  const project = await openProject(context);
  const selected = targets.length === 0 ? [] : selectTargets(project.build, targets);
  const request = { ...project, platform: hostPlatform() };
  const made = packageGraph(selected, request);
  const pins = await pinsHere(targets.length === 0 ? project.build.packages : selected, request, context.signal);
  const draw = options.svg
    ? (await import('../report/graph-svg.ts')).graphSvg
    : options.dot
      ? (await import('../report/graph-code.ts')).graphDot
      : options.mermaid
        ? (await import('../report/graph-code.ts')).graphMermaid
        : (tree: PackageGraph) => graphText(tree) + pinsHereText(pins);
  printResult(
    context,
    () => draw(made),
    () => ({ format: 1, ...made, ...(pins && { pinsHere: pins }) }),
  );
  return 0;
};
