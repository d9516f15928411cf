/** `vbuild list`: one line per package. */
import { packageId } from '../buildfile/package.ts';
import { nameOf } from '../model/package-id.ts';
import { columns } from '../report/table.ts';
import { type Command, openProject, printResult } from './command.ts';
import { sourceText } from './source-text.ts';

export const list: Command = async (context) => {
  const { build } = await openProject(context);
  const rows = build.packages.map((one) => ({
    name: one.name,
    version: one.version,
    source: sourceText(one.source),
    deps: (one.deps ?? []).map(packageId),
    buildDeps: (one.buildDeps ?? []).map(packageId),
    default: build.defaults.includes(one),
  }));
  printResult(
    context,
    () => columns(rows.map(cells)),
    () => ({ format: 1, packages: rows }),
  );
  return 0;
};

interface Row {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly deps: readonly string[];
  readonly buildDeps: readonly string[];
}

const cells = ({ name, version, source, deps, buildDeps }: Row): string[] => [
  name,
  version,
  [...deps.map(nameOf), ...buildDeps.map((id) => `${nameOf(id)} (build)`)].join(' ') || '-',
  source,
];
