/** Where `vbuild shell` goes: the tree of a stage, kept or newly made, and what a shell there is started with. */
import { join } from 'node:path';
import { onHost } from '../artifact/places.ts';
import type { Package } from '../buildfile/package.ts';
import { type StepGroup, stepGroups } from '../compile/recipe.ts';
import { stepShell } from '../compile/step-shell.ts';
import { setAside } from '../stamps/stamp.ts';
import { exists, readIfThere, writeAtomically } from '../system/files.ts';
import { byHand, forgetCompiled, type HandRequest, type HandSession, keptTree, prepareTree } from './by-hand.ts';
import { stepsFrame } from './compile-stage.ts';
import { ensureSource } from './fetch-stage.ts';
import { logsIn } from './logs.ts';
import { ensurePatched } from './patch-stage.ts';

export const shellStages = ['fetch', 'patch', 'compile', ...stepGroups] as const;
export type ShellStage = (typeof shellStages)[number];

export interface Opened {
  /** Absolute path of the tree on this machine. */
  readonly tree: string;
  /** Whether an earlier run left it as it is. */
  readonly kept: boolean;
  readonly cwd: string;
  /** In which steps run; undefined for the stages that vbuild itself carries out. */
  readonly environment: Readonly<Record<string, string>> | undefined;
  /** Wraps a command so that it sees what steps see. */
  readonly argvFor: (command: readonly string[]) => readonly string[];
  /** Path, as seen there, of what an interactive bash reads first. */
  readonly greeting: string | undefined;
}

/** Opens a tree for somebody to work in while no run can; `use` lasts as long as they do. @throws {VbuildError} */
export const openTree = <Result>(
  one: Package,
  stage: ShellStage,
  request: HandRequest,
  use: (opened: Opened) => Promise<Result>,
): Promise<Result> =>
  byHand(one, request, async (session) =>
    use(stage === 'fetch' || stage === 'patch' ? await openSources(session, stage) : await openBuild(session, stage)),
  );

/** What these stages made is made anew by the next run. */
async function openSources({ facts, run }: HandSession, stage: 'fetch' | 'patch'): Promise<Opened> {
  const { places, package: one, source } = facts;
  const failed = `${places.patched}.incoming`;
  const kept = stage === 'patch' && exists(failed);
  if (!kept) {
    await ensureSource(one, source, run);
    if (stage === 'patch') await ensurePatched(facts, run);
    setAside(places.stamps, stage, 'by-hand');
  }
  const tree = kept ? failed : stage === 'fetch' ? places.source : places.patched;
  return { tree, kept, cwd: tree, environment: undefined, argvFor: (command) => command, greeting: undefined };
}

async function openBuild(session: HandSession, stage: Exclude<ShellStage, 'fetch' | 'patch'>): Promise<Opened> {
  const { facts, run } = session;
  const asked = stage === 'compile' ? undefined : stage;
  const kept = await keptTree(session);
  forgetCompiled(facts);
  const { at, namespace } = kept ?? (await prepareTree(session, asked));
  const group = asked ?? (kept === undefined ? undefined : lastGroup(session));
  const frame = stepsFrame(facts, at, run, { namespace });
  const shell = stepShell(frame, group, [facts.id, ...(group === undefined ? [] : [group])].join(' '));
  const greeting = join(at.root, 'greeting');
  writeAtomically(onHost(at, greeting), shell.greeting);
  return { ...shell, tree: onHost(at, at.tree), kept: kept !== undefined, greeting };
}

/** The group of the step that the last compilation got to, as its log says. */
function lastGroup({ facts }: HandSession): StepGroup | undefined {
  const log = readIfThere(logsIn(facts.places.logs).at(-1) ?? '') ?? '';
  const reached = [...log.matchAll(/^# step \d+ of \d+, (\w+)$/gm)].at(-1)?.[1];
  return stepGroups.find((group) => group === reached);
}
