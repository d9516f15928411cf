/** Makes pins exist: resolves sources that have none, and asks this machine for the versions of its tools. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, type LockedSource, notedSpec } from '../buildfile/pins.ts';
import { probeTools } from '../compile/probe-tools.ts';
import {
  installToolsCommand,
  debianPackagesOf,
  missingTools,
  missingToolsError,
  type ToolName,
  type FoundTool,
} from '../compile/tools.ts';
import { throwAll, VbuildError, VbuildErrors } from '../model/error.ts';
import { sourceKind } from '../sources/index.ts';
import { lastLines } from '../system/tail.ts';
import { systemPath } from '../system/user-environment.ts';
import { ensureSource } from './fetch-stage.ts';
import { toolsOf } from './facts.ts';
import { lockFor } from './keyed.ts';
import { runJobs } from './job-runner.ts';
import type { Run } from './run.ts';

/**
 * Pins every source that has no pin yet, fetching it on the way.
 *
 * @throws {VbuildErrors} with what went wrong for each of them.
 */
export async function pinSources(unpinned: readonly Package[], lock: Lock, run: Run): Promise<Lock> {
  if (unpinned.length === 0) return lock;
  insistOnLeave(unpinned, lock, run);
  const pinned = new Map<string, LockedSource>();
  const failures = await runJobs({
    jobs: unpinned.map((one) => ({ id: packageId(one), after: [], expectedMs: 1, resource: 'transfer' })),
    work: async ({ id }) => {
      const one = unpinned.find((other) => packageId(other) === id);
      if (one !== undefined) pinned.set(id, await ensureSource(one, undefined, run));
    },
    limits: { transfer: 4, cpu: 0 },
    keepGoing: true,
    signal: run.signal,
    skipped: () => {},
  });
  throwAll([...failures.values()]);
  return { ...lock, sources: { ...lock.sources, ...Object.fromEntries(pinned) } };
}

/** @throws {VbuildErrors} `unpinned` or `frozen-lock` when this run may not make pins and some are missing. */
export function insistOnLeave(unpinned: readonly Package[], lock: Lock, run: Run): void {
  if (unpinned.length > 0 && (run.options.frozen || run.options.noBuild))
    throw new VbuildErrors(unpinned.map((one) => mayNotPin(one, lock, run)));
}

function mayNotPin(one: Package, lock: Lock, run: Run): VbuildError {
  const id = packageId(one);
  const locked = lock.sources[id];
  const option = run.options.frozen ? '--frozen' : '--no-build';
  if (locked !== undefined) {
    return new VbuildError('frozen-lock', 'Source is another one than the lock file pins', {
      where: { file: run.workspace.lockFile, package: id },
      facts: { pinned: JSON.stringify(locked.spec), Buildfile: JSON.stringify(notedSpec(one.source)) },
      mend: `run vbuild lock ${one.name}, commit the lock file, then use ${option}`,
    });
  }
  return new VbuildError('unpinned', 'Source has no pin', {
    where: { file: run.workspace.lockFile, package: id },
    mend: `run vbuild lock ${one.name}, commit the lock file, then use ${option}`,
  });
}

/**
 * Makes the pins of tools agree with this machine, and the tools be there.
 *
 * @param packages Those whose tools matter: all of them while a pin is missing, else those that are to be compiled.
 * @param fetching Those whose sources may have to be brought; the programs for that must be there, their versions do not matter.
 * @throws {VbuildError} `unpinned` when a pin is missing and may not be made, `tool-missing`, `tool-mismatch` under `--frozen`.
 */
export async function pinTools(
  packages: readonly Package[],
  fetching: readonly Package[],
  lock: Lock,
  run: Run,
): Promise<Lock> {
  const { platform, options } = run;
  const needs = packages.map((one) => ({ package: packageId(one), tools: toolsOf(one) }));
  const tools = [...new Set(needs.flatMap((need) => need.tools))].sort();
  const pins = lock.tools[platform] ?? {};
  const unpinned = tools.filter((tool) => pins[tool] === undefined);
  if (unpinned.length > 0 && (options.frozen || options.noBuild)) {
    throw new VbuildError('unpinned', 'Tools have no pin for this platform', {
      where: { file: run.workspace.lockFile },
      facts: { platform, tools: unpinned.join(', ') },
      mend: `${lockFor(platform)}: on a machine of this platform, or where a cache has artifacts of it`,
    });
  }
  needs.push(...fetching.map((one) => ({ package: packageId(one), tools: [...fetchToolsOf(one)] })));
  const sought = [...new Set(needs.flatMap((need) => need.tools))];
  let found: Partial<Record<ToolName, FoundTool>> = await probeTools(sought, run.signal);
  let missing = missingTools(needs, found);
  if (missing.length > 0 && options.installTools) {
    await installTools(debianPackagesOf(missing), run);
    found = await probeTools(sought, run.signal);
    missing = missingTools(needs, found);
  }
  if (missing.length > 0) throw missingToolsError(missing, isRoot());
  const seen = Object.fromEntries(
    tools.flatMap((tool) => {
      const one = found[tool];
      return one === undefined || one === 'missing' ? [] : [[tool, one.version]];
    }),
  );
  const moved = Object.entries(seen).filter(([tool, version]) => pins[tool] !== undefined && pins[tool] !== version);
  if (moved.length > 0 && options.frozen) {
    throw new VbuildErrors(
      moved.map(
        ([tool, version]) =>
          new VbuildError('tool-mismatch', `Tool ${tool} is not the pinned one`, {
            facts: { expected: pins[tool] ?? '', found: version, platform },
            mend: 'install the pinned version, or move the pin with vbuild lock and commit the lock file',
          }),
      ),
    );
  }
  for (const [tool, version] of moved) {
    run.emit({
      type: 'notice',
      level: 'warning',
      code: 'tool-pin-moved',
      headline: `Pin of tool ${tool} ${options.planOnly ? 'would move' : 'moved'}`,
      facts: { before: pins[tool] ?? '', now: version, platform },
    });
  }
  if (moved.length === 0 && unpinned.length === 0) return lock;
  return { ...lock, tools: { ...lock.tools, [platform]: { ...pins, ...seen } } };
}

/** The programs that it takes to bring the source of a package. */
export const fetchToolsOf = ({ source }: Package): readonly ToolName[] => sourceKind(source).needs?.(source) ?? [];

export const isRoot = (): boolean => process.getuid?.() === 0;

async function installTools(packages: readonly string[], run: Run): Promise<void> {
  const { run: runCommand } = await import('../system/process.ts');
  const argv = installToolsCommand(packages, isRoot());
  run.emit({
    type: 'notice',
    level: 'info',
    code: 'tools-installed',
    headline: 'Missing tools are installed',
    facts: { packages: packages.join(' '), command: argv.join(' ') },
  });
  const env = { PATH: systemPath, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const install = (command: readonly string[]): ReturnType<typeof runCommand> =>
    runCommand({ argv: command, cwd: '/', env, signal: run.signal });
  let ended = await install(argv);
  if (ended.exitStatus !== 0) {
    // A fresh machine may have no package lists yet, or old ones.
    await install([...argv.slice(0, argv.indexOf('apt-get') + 1), 'update']);
    ended = await install(argv);
  }
  if (ended.exitStatus === 0) return;
  throw new VbuildError('tool-missing', 'Missing tools could not be installed', {
    facts: { command: argv.join(' '), found: ended.failure ?? lastLines(ended.stderr, 3).replaceAll('\n', '; ') },
    mend: 'install them by hand with this command',
  });
}
