/** `vbuild why PACKAGE|FILE`: why a package is as it is, or which packages a file decides. */
import { resolve } from 'node:path';
import { packagesCalled, selectTarget } from '../buildfile/targets.ts';
import { explanationText, influenceText, missText } from '../report/explain-text.ts';
import { pinsHereText } from '../report/pins-text.ts';
import { exists } from '../system/files.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, type CommandContext, openProject, type Project, printResult } from './command.ts';
import { lowerTiers } from './lower-tiers.ts';

export const why: Command = async (context) => {
  const [subject = ''] = context.line.targets;
  const project = await openProject(context);
  const isPackage = packagesCalled(subject, project.build).length > 0;
  const path = resolve(context.cwd, subject);
  if (!isPackage && (subject.includes('/') || exists(path))) return whyFile(subject, path, context, project);
  const one = selectTarget(project.build, subject);
  const { explainMiss, explainPackage } = await import('../build/explaining.ts');
  const request = { ...project, platform: hostPlatform() };
  const words = { nowMs: Date.now(), cwd: context.cwd, prefix: project.prefix };
  if (context.line.options.cache) {
    const missed = await explainMiss(one, request, await lowerTiers(context, project), context.signal);
    if (missed !== undefined) {
      printResult(
        context,
        () => missText(missed),
        () => ({ format: 1, ...missed }),
      );
      return 0;
    }
  }
  const explanation = await explainPackage(one, request);
  const pins =
    explanation.state === 'stale'
      ? await (await import('../build/pins-here.ts')).pinsHere([one], request, context.signal)
      : undefined;
  printResult(
    context,
    () => explanationText(explanation, words) + pinsHereText(pins),
    () => ({ format: 1, ...explanation, ...(pins && { pinsHere: pins }) }),
  );
  return 0;
};

async function whyFile(
  subject: string,
  path: string,
  context: CommandContext,
  { build, workspace, loaded }: Project,
): Promise<number> {
  const { influenceOf } = await import('../build/influence.ts');
  const influences = influenceOf(path, { build, workspace, buildFiles: loaded.files });
  const isThere = exists(path);
  printResult(
    context,
    () => influenceText(subject, isThere, influences),
    () => ({ format: 1, file: path, isThere, packages: influences }),
  );
  return 0;
}
