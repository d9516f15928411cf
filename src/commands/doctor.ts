/** `vbuild doctor`: looks at the machine, and says what to mend. */
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import {
  examineDisk,
  examineApt,
  examineHost,
  examineLocks,
  examineNamespaces,
  examineNode,
  examinePrograms,
  examineTools,
} from '../build/examine-machine.ts';
import { cacheFolder } from '../cache/layout.ts';
import { VbuildError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import { labelled } from '../report/error-text.ts';
import { size } from '../report/words.ts';
import { type Command, type CommandContext, openProject, printResult, type Project } from './command.ts';

export const doctor: Command = async (context) => {
  const { line, env, signal, signing } = context;
  const project = await projectHere(context);
  const findings: Finding[] = [examineNode(), examineHost(), examinePrograms()];
  const cache = project?.workspace.cache ?? cacheFolder(env);
  if (project !== undefined) {
    const { build, workspace, prefix } = project;
    const aptNeeded = build.packages.some(({ source }) => source.kind === 'debian');
    findings.push(...(await examineTools(build.packages, workspace, signal)), await examineApt(aptNeeded, signal));
    findings.push(
      examineDisk('work folder', workspace.state, size),
      examineDisk('cache', cache, size),
      examineDisk('prefix', dirname(prefix), size),
      await examineLocks('work folder', workspace.state, signal),
    );
  } else findings.push(await examineApt(false, signal), examineDisk('cache', cache, size));
  findings.push(await examineLocks('cache', cache, signal), ...(await examineNamespaces(tmpdir())));
  if (project !== undefined && !line.options.offline) {
    const { examineCaches } = await import('../build/examine-caches.ts');
    const { build, workspace } = project;
    findings.push(
      ...(await examineCaches({
        build,
        folder: workspace.folder,
        environment: env,
        signing,
        pushing: line.options.push,
        signal,
      })),
    );
  }
  const bad = findings.filter(({ state }) => state === 'bad').length;
  printResult(
    context,
    () => `${labelled(findings.map((finding) => [finding.check, words(finding)]))}${lastWord(findings)}\n`,
    () => ({ format: 1, type: 'examined', findings, bad }),
  );
  return bad > 0 ? 1 : 0;
};

/** Without a Buildfile the machine alone is looked at, unless one was named. */
async function projectHere(context: CommandContext): Promise<Project | undefined> {
  try {
    return await openProject(context);
  } catch (thrown) {
    const none = thrown instanceof VbuildError && thrown.code === 'buildfile-missing';
    if (none && context.line.options.file === undefined) return undefined;
    throw thrown;
  }
}

const words = ({ state, found, mend }: Finding): string =>
  `${state.padEnd(4)}  ${found}${mend === undefined ? '' : `\n      mend: ${mend}`}`;

function lastWord(findings: readonly Finding[]): string {
  const bad = findings.filter(({ state }) => state === 'bad').length;
  const notes = findings.filter(({ state }) => state === 'note').length;
  if (bad > 0) return `${bad} to mend${notes > 0 ? `, ${notes} to note` : ''}`;
  return notes > 0 ? `nothing to mend, ${notes} to note` : 'nothing to mend';
}
