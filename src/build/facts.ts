/** Gathers what every package of a closure rests on as it is now, and from that its content key; reads files, changes nothing. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, type LockedSource, pinnedFor, readLock } from '../buildfile/pins.ts';
import type { ToolName } from '../compile/tools.ts';
import { contentKey, keyText } from '../key/fields.ts';
import type { ContentKey } from '../model/digest.ts';
import type { SeriesPatch } from '../patches/patch-spec.ts';
import { sourceKind } from '../sources/index.ts';
import { fieldsOf, fileInput, readStamp } from '../stamps/stamp.ts';
import { refuseCutOff } from './cut-off-saves.ts';
import { directDependencies } from './graph.ts';
import { ofPackage, seriesOf } from './own-series.ts';
import { type StageFacts, stageInputs } from './stages.ts';
import { type PackagePlaces, placesOf, type Workspace } from './workspace.ts';

export interface PackageFacts extends StageFacts {
  /** `name@version`. */
  readonly id: string;
  readonly places: PackagePlaces;
  readonly series: readonly SeriesPatch[];
  readonly keyText: string;
  readonly key: ContentKey;
}

export interface Facts {
  /** For every package whose pins are known, and those of all that it depends on. */
  readonly known: ReadonlyMap<Package, PackageFacts>;
  /** Of a package of which it is certain that it is known. */
  of(one: Package): PackageFacts;
  /** Packages whose source has no pin. */
  readonly unpinned: readonly Package[];
  /** Tools that have no pin for this platform, each once. */
  readonly unpinnedTools: readonly ToolName[];
}

/** The tools that it takes to compile a package, each once. */
export const toolsOf = ({ recipe, tools }: Package): ToolName[] => [...new Set([...recipe.tools, ...(tools ?? [])])];

/** As `gatherFacts`, with what the lock file has. */
export const factsNow = (
  packages: readonly Package[],
  { workspace, platform }: { readonly workspace: Workspace; readonly platform: string },
): Facts => gatherFacts(packages, { lock: readLock(workspace.lockFile), platform, workspace });

/**
 * @param packages Closed under both kinds of dependencies, each after its own.
 * @throws {VbuildError} for a patch, a series or a folder of the project that is missing or malformed; `patch-edit-unsaved` for a series
 *   that is on disk in part.
 */
export function gatherFacts(
  packages: readonly Package[],
  {
    lock,
    platform,
    workspace,
    assume = (facts) => facts,
  }: {
    readonly lock: Lock;
    readonly platform: string;
    readonly workspace: Workspace;
    /** Makes other facts of those of a package, for a plan of what is not so; see `what-if.ts`. */
    readonly assume?: ((facts: StageFacts) => StageFacts) | undefined;
  },
): Facts {
  const known = new Map<Package, PackageFacts>();
  const unpinned: Package[] = [];
  const unpinnedTools = new Set<ToolName>();
  const pins = lock.tools[platform] ?? {};
  for (const one of packages) {
    refuseCutOff(one, workspace);
    const series = seriesOf(one, workspace.folder).patches;
    const source = ofPackage(one, () => sourceNow(one, lock, workspace));
    if (source === undefined) unpinned.push(one);
    const tools = toolsOf(one).map((tool) => [tool, pins[tool]] as const);
    for (const [tool, pin] of tools) if (pin === undefined) unpinnedTools.add(tool);
    const dependencies = directDependencies(one).map((other) => known.get(other));
    if (source === undefined || tools.some(([, pin]) => pin === undefined) || dependencies.includes(undefined))
      continue;

    const places = placesOf(workspace, one);
    const stamps = series.length === 0 ? [] : [readStamp(places.stamps, 'pack'), readStamp(places.stamps, 'patch')];
    const facts = assume({
      package: one,
      source,
      patches: series.map(({ name, path, strip }) => ({ input: fileInput(name, path, stamps), strip })),
      dependencies: dependencies.flatMap((other) =>
        other === undefined ? [] : [{ name: other.package.name, key: other.key }],
      ),
      tools: Object.fromEntries(tools.map(([tool, pin]) => [tool, pin ?? ''])),
      platform,
    });
    const text = keyText(fieldsOf(stageInputs(facts, 'pack')));
    known.set(one, { ...facts, id: packageId(one), places, series, keyText: text, key: contentKey(text) });
  }
  return {
    known,
    of(one) {
      const facts = known.get(one);
      if (facts === undefined) throw new Error(`${packageId(one)} has no key`);
      return facts;
    },
    unpinned,
    unpinnedTools: [...unpinnedTools],
  };
}

/** A folder of the project counts by what it holds now, any other source by its pin, if that was made for it. */
export function sourceNow(one: Package, lock: Lock, workspace: Workspace): LockedSource | undefined {
  const tree = sourceKind(one.source).current?.(one.source, workspace.folder);
  if (tree !== undefined) return { spec: one.source, pin: { kind: one.source.kind }, tree };
  const locked = lock.sources[packageId(one)];
  return pinnedFor(locked, one.source) ? locked : undefined;
}
