/** `vbuild verify --rebuild [TARGET…]`: whether packages come out the same when they are built again. */
import type { Difference } from '../artifact/tree-difference.ts';
import type { Rebuilt } from '../build/rebuild.ts';
import type { Witness } from '../build/rebuild-witness.ts';
import { fullClosure } from '../build/graph.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { count } from '../model/count.ts';
import type { BuildEvent } from '../model/event.ts';
import { columns } from '../report/table.ts';
import { list, pathFrom } from '../report/words.ts';
import { buildRequest } from './build.ts';
import { asides, type Command, openProject, printResult } from './command.ts';

export const rebuild: Command = async (context) => {
  const { cwd, line, reporter, stdout } = context;
  const { json, quiet, keep } = line.options;
  const project = await openProject(context);
  const named = selectTargets(project.build, line.targets);
  const targets = line.targets.length > 0 ? named : fullClosure(named);
  const { emit, notices } = json
    ? asides(context)
    : { emit: (event: BuildEvent) => reporter.event(event), notices: [] };
  const request = { ...buildRequest(context, project, targets), emit };
  emit({ type: 'run-started', targets: targets.map(({ name }) => name), packages: fullClosure(targets).length });
  const { rebuild: rebuildAll, isReproducible } = await import('../build/rebuild.ts');
  const all = await rebuildAll(request, keep, (one) => {
    const durationMs = one.builds.reduce((sum, build) => sum + build.durationMs, 0);
    emit({ type: 'package-finished', package: one.package, outcome: 'built', durationMs });
    if (json || (quiet && isReproducible(one))) return;
    stdout.write(resultText(one, isReproducible(one), cwd));
  });
  const exitStatus = all.every(isReproducible) ? 0 : 1;
  printResult(
    context,
    () => (quiet ? '' : circumstancesText(all)),
    () => ({
      format: 1,
      type: 'rebuilt',
      exitStatus,
      packages: all.map((one) => ({ ...one, reproducible: isReproducible(one) })),
      notices,
    }),
  );
  return exitStatus;
};

function resultText(one: Rebuilt, isReproducible: boolean, cwd: string): string {
  const { differences, witnesses, builds, kept } = one;
  const alike = witnesses.filter(({ equals }) => equals === 'both').map(({ tier }) => tier);
  const files = count(builds[0].files, 'file');
  if (isReproducible)
    return `${one.package} is reproducible: ${list(['two builds', ...alike], 9)} have the same ${files}\n`;
  return [
    differences.length === 0
      ? `${one.package} came out the same two times (${list(['two builds', ...alike], 9)}), but not as it was before\n`
      : `${one.package} is not reproducible: two builds differ in ${count(differences.length, 'file')}\n`,
    columns(differences.map(cells)),
    ...witnesses.map((witness) => witnessText(witness, differences.length === 0)),
    kept === undefined ? '' : `  kept in ${pathFrom(cwd, kept)}\n`,
  ].join('');
}

function witnessText({ tier, equals, against, differences, startedAt }: Witness, buildsAgree: boolean): string {
  const since = `  ${tier} has an artifact of ${startedAt.slice(0, 16).replace('T', ' ')}`;
  if (equals === 'both') return '';
  if (equals !== 'neither') return `${since} that is equal to the ${equals} build\n`;
  const mixed =
    against.length === 0 ? '' : `, which was compiled against another build of ${list(against)} than the one here`;
  const which = buildsAgree ? 'from both' : 'from the first build';
  return `${since} that differs ${which} in ${count(differences.length, 'file')}${mixed}\n${columns(differences.map(cells))}`;
}

/** What is said of a file: why, where, and what stands there. */
function cells({ path, kinds, member, section, offset, first, second }: Difference): string[] {
  const place = [member, section, offset === undefined ? undefined : `byte ${offset}`].filter(
    (part) => part !== undefined,
  );
  const texts = first === undefined || second === undefined ? '' : `${first} | ${second}`;
  return [`  ${path}`, kinds.join(', '), place.join(', '), texts];
}

/** What was otherwise the second time. */
function circumstancesText(all: readonly Rebuilt[]): string {
  const [one] = all;
  if (one === undefined) return '';
  const [first, second] = one.builds;
  const rows = [
    ['path', first.root.replace(/_+$/, ''), second.root.replace(/_+$/, '')],
    ['host', first.host, second.host],
    ['user', first.user, second.user],
    ['jobs', first.jobs, second.jobs],
    ['processors', first.processors, second.processors],
    ['umask', first.umask, second.umask],
    ['locale', first.locale || 'none', second.locale],
    ['time zone', first.timeZone || 'none', second.timeZone],
  ] as const;
  const [changed, same] = [true, false].map((differs) => rows.filter(([, x, y]) => (x !== y) === differs));
  const pairs = (changed ?? []).map(([name, x, y]) => `${name} ${x} | ${y}`);
  const unchanged = (same ?? []).map(([name]) => name);
  return `changed for the second build: ${pairs.join(', ')}${unchanged.length === 0 ? '' : `; not changed: ${list(unchanged, 9)}`}\n`;
}
