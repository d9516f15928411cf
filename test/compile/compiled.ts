/** Compiles a small package that a test spells out, as the compile stage would: real tools, places of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCE_TIME_SECONDS, standardEnvironment } from '../../src/compile/environment.ts';
import { probeTools } from '../../src/compile/probe-tools.ts';
import type { Recipe } from '../../src/compile/recipe.ts';
import { recipeProblems } from '../../src/compile/recipe-problems.ts';
import type { Jobserver } from '../../src/system/jobserver.ts';
import { runSteps } from '../../src/compile/run-steps.ts';
import { type ToolName, pythonName } from '../../src/compile/tools.ts';
import type { BuildEvent } from '../../src/model/event.ts';
import { makeFolder, setTreeTime, walk } from '../../src/system/files.ts';
import { tempDir, type Tree, type WithCleanUp, writeTree } from '../support/temp.ts';

export interface CompileOptions {
  readonly recipe: Recipe;
  /** The patched tree. */
  readonly tree: Tree;
  /** What dependencies brought into the private prefix. */
  readonly prefix?: Tree;
  readonly jobs?: number;
  readonly jobserver?: Jobserver;
  readonly signal?: AbortSignal;
  /** Part of the name of the work folder. */
  readonly label?: string;
}

export interface Compiled {
  readonly root: string;
  readonly tree: string;
  readonly prefix: string;
  /** Where the files of the prefix were staged. */
  readonly staged: string;
  /** Everything in the stage that is no folder, relative to the stage's top. */
  readonly files: readonly string[];
  readonly log: string;
  readonly logPath: string;
  readonly events: readonly BuildEvent[];
}

/** Runs all steps; what they throw is thrown. The work folder goes when the test ends. */
export async function compile(t: WithCleanUp, options: CompileOptions): Promise<Compiled> {
  const problems = recipeProblems(options.recipe);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const root = tempDir(t, options.label ?? 'compile');
  const places = {
    root,
    tree: join(root, 'tree'),
    prefix: join(root, 'prefix'),
    stage: join(root, 'stage'),
    python: pythonHere,
  };
  makeFolder(places.tree);
  makeFolder(places.prefix);
  writeTree(places.tree, options.tree);
  writeTree(places.prefix, options.prefix ?? {});
  setTreeTime(places.tree, SOURCE_TIME_SECONDS);
  const logPath = join(root, 'log');
  const events: BuildEvent[] = [];
  await runSteps({
    steps: options.recipe.steps,
    environment: standardEnvironment(options.recipe),
    places,
    log: logPath,
    emit: (event) => void events.push(event),
    package: 'probe@1',
    signal: options.signal ?? new AbortController().signal,
    jobs: options.jobs ?? 2,
    ...(options.jobserver !== undefined && { jobserver: options.jobserver }),
  });
  return {
    root,
    tree: places.tree,
    prefix: places.prefix,
    staged: join(places.stage, places.prefix),
    files: walk(places.stage).flatMap(({ path, type }) => (type === 'directory' ? [] : [`/${path}`])),
    log: readFileSync(logPath, 'utf8'),
    logPath,
    events,
  };
}

/** Sets variables of this process, as if vbuild's caller had exported them, until the test ends. */
export function exportToCaller(t: WithCleanUp, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

const found = await probeTools(
  [
    'autoconf',
    'automake',
    'libtool',
    'cmake',
    'pkg-config',
    'meson',
    'ninja',
    'nasm',
    'python3',
    'python-headers',
    'python-pip',
    'python-setuptools',
    'python-wheel',
  ],
  new AbortController().signal,
);
/** For a test's `skip`: false when this machine has the tools, else the reason. */
export function unlessThere(...tools: readonly (keyof typeof found & ToolName)[]): string | false {
  const missing = tools.filter((tool) => found[tool] === 'missing');
  return missing.length === 0 ? false : `needs ${missing.join(', ')}`;
}

/** The name of the machine's own python3, such as `python3.11`. */
export const pythonHere = found.python3 === 'missing' ? 'python3' : pythonName(found.python3.version);
