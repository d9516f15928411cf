/** `vbuild rollback`, `vbuild generations` and `vbuild verify`: about the generations of a prefix; they need no Buildfile. */
import { currentGeneration, type Generation, generationsOf, leftAtMs } from '../install/generations.ts';
import { handChanges } from '../install/installed-files.ts';
import { count } from '../model/count.ts';
import { VbuildError } from '../model/error.ts';
import { columns } from '../report/table.ts';
import { pathFrom } from '../report/words.ts';
import { asides, type Command, prefixOf, printResult } from './command.ts';

export const rollback: Command = async (context) => {
  const { cwd, line, signal } = context;
  const prefix = prefixOf(context);
  const { rollBack } = await import('../install/install.ts');
  const { prefixNotices } = await import('../build/prefix-notices.ts');
  const { emit, notices } = asides(context);
  const { before, now } = await rollBack(prefix, line.options.to, { signal, ...prefixNotices(emit) });
  const from = before === undefined ? '' : ` (was ${before})`;
  printResult(
    context,
    () => `${pathFrom(cwd, prefix)} shows generation ${now.number}${from}: ${contentOf(now)}\n`,
    () => ({ format: 1, type: 'rolled-back', prefix, before: before ?? null, ...told(now), notices }),
  );
  return 0;
};

export const generations: Command = async (context) => {
  const prefix = prefixOf(context);
  const current = currentGeneration(prefix)?.number;
  const all = generationsOf(prefix).reverse();
  printResult(
    context,
    () =>
      columns(
        all.map((one, at) => [
          one.number === current ? '*' : '',
          String(one.number),
          installedAt(one),
          contentOf(one),
          [...sinceOf(one, all[at + 1]), ...noteOf(one)].join('; '),
        ]),
      ),
    () => ({
      format: 1,
      type: 'generations',
      prefix,
      current: current ?? null,
      generations: all.map((one) => ({
        ...told(one),
        current: one.number === current,
        leftAtMs: leftAtMs(one) ?? null,
      })),
    }),
  );
  return 0;
};

export const verify: Command = async (context) => {
  const { cwd, line } = context;
  if (line.options.rebuild) return (await import('./rebuild.ts')).rebuild(context);
  if (line.targets.length > 0)
    throw new VbuildError('usage', 'A prefix is verified as a whole', {
      facts: { found: line.targets.join(' ') },
      mend: 'leave the packages out, or build them again with --rebuild',
    });
  const prefix = prefixOf(context);
  const current = currentGeneration(prefix);
  const changes = current && handChanges(current);
  if (current === undefined || changes === undefined)
    throw new VbuildError(
      'not-ready',
      current === undefined ? 'Nothing is installed in the prefix' : 'Generation has no list of its files',
      { where: { file: prefix }, mend: 'run vbuild install, or name the prefix with --prefix' },
    );
  const exitStatus = changes.length === 0 ? 0 : 1;
  printResult(
    context,
    () =>
      changes.length === 0
        ? `${pathFrom(cwd, prefix)} is as it was installed (generation ${current.number})\n`
        : `${columns(changes.map((one) => [one.what, one.path, one.package ?? '']))}${count(changes.length, 'file')} of generation ${current.number} changed by hand; vbuild install --repair makes a new generation, and keeps this one\n`,
    () => ({ format: 1, type: 'verified', exitStatus, prefix, generation: current.number, changes }),
  );
  return exitStatus;
};

const told = ({ number, path, record }: Generation): object => ({
  generation: number,
  path,
  packages: record?.packages ?? null,
  notes: record?.notes ?? null,
});

const contentOf = ({ record }: Generation): string =>
  record === undefined
    ? 'its record is lost'
    : Object.entries(record.packages)
        .map(([name, { version }]) => `${name}@${version}`)
        .join(' ');

/** What differs from the one before it, as far as that is there: those of a name and version may have been built from other things. */
function sinceOf({ record }: Generation, before: Generation | undefined): string[] {
  if (record === undefined || before?.record === undefined) return [];
  const was = before.record.packages;
  const others = Object.entries(record.packages).filter(([name, { key }]) => was[name]?.key !== key);
  const gone = Object.keys(was).filter((name) => record.packages[name] === undefined);
  const words = [
    ...(others.length === 0 ? [] : [`other than in ${before.number}: ${others.map(([name]) => name).join(' ')}`]),
    ...(gone.length === 0 ? [] : [`without ${gone.join(' ')}`]),
  ];
  return [words.length === 0 ? `as ${before.number}` : words.join(', ')];
}

const installedAt = ({ record }: Generation): string =>
  (record?.notes['installedAt'] ?? '').slice(0, 16).replace('T', ' ');

const noteOf = ({ record }: Generation): string[] => {
  const kept = record?.notes['kept'];
  return kept === undefined ? [] : [`kept: ${kept}`];
};
