/**
 * THE TABLE: what decides the result of each stage. Staleness, the content key and every explanation read it, so they cannot
 * disagree. Rows are in the order in which stages run; a stage also rests on everything above it, save `fetch`, whose result enters
 * through the digests of its trees, never through its place.
 */
import type { Package } from '../buildfile/package.ts';
import { standardEnvironment } from '../compile/environment.ts';
import { canonicalJson, dependencyPrefix } from '../key/fields.ts';
import type { ContentKey } from '../model/digest.ts';
import type { LockedSource } from '../buildfile/pins.ts';
import type { Input } from '../stamps/stamp.ts';

/** Everything about one package that stages may rest on. */
export interface StageFacts {
  readonly package: Package;
  /** The package as a plan takes it to be, where that is not as the Buildfile has it; see `what-if.ts`. */
  readonly assumed?: Package;
  readonly source: LockedSource;
  /** Ours, in order; `value` of each input is the digest of the patch. */
  readonly patches: readonly { readonly input: Input; readonly strip: number }[];
  /** Content keys of the direct dependencies of both kinds, by name. */
  readonly dependencies: readonly { readonly name: string; readonly key: ContentKey }[];
  /** Pinned versions of the tools that the recipe and the package declare, by tool name. */
  readonly tools: Readonly<Record<string, string>>;
  readonly platform: string;
}

export type KeyedStage = 'fetch' | 'patch' | 'compile' | 'pack';

interface Row {
  readonly stage: KeyedStage;
  /** Raised whenever vbuild's own rules for this stage change what it makes from the same inputs. */
  readonly rules: number;
  readonly inputs: (facts: StageFacts) => readonly Input[];
}

const value = (name: string, text: string): Input => ({ name, value: text });
const number = (at: number): string => String(at + 1).padStart(3, '0');

const table: readonly Row[] = [
  {
    stage: 'fetch',
    rules: 1,
    inputs: ({ source }) => [
      value('source.spec', canonicalJson(source.spec)),
      value('source.pin', canonicalJson(source.pin)),
    ],
  },
  {
    stage: 'patch',
    rules: 1,
    inputs: ({ source, patches }) => [
      value('source.tree', source.tree),
      ...(source.series === undefined ? [] : [value('source.series', source.series)]),
      ...patches.flatMap(({ input, strip }, at) => [
        { ...input, name: `patch.${number(at)}` },
        value(`patch.${number(at)}.strip`, String(strip)),
      ]),
    ],
  },
  {
    stage: 'compile',
    rules: 2,
    inputs: ({ package: { name, version, recipe, network }, dependencies, tools, platform }) => [
      value('package.name', name),
      value('package.version', version),
      ...recipe.steps.map(({ group, run, in: folder }, at) =>
        value(`step.${number(at)}.${group}`, canonicalJson(folder === undefined ? run : { run, in: folder })),
      ),
      ...Object.entries(standardEnvironment(recipe)).map(([variable, text]) => value(`env.${variable}`, text)),
      ...dependencies.map((one) => value(dependencyPrefix + one.name, one.key)),
      ...Object.entries(tools).map(([tool, pinned]) => value(`tool.${tool}`, pinned)),
      value('platform', platform),
      ...(network === true ? [value('network', 'allowed')] : []),
    ],
  },
  {
    stage: 'pack',
    rules: 3,
    inputs: ({ package: { remove, prefixInBinaries, hostLibraries, strip, deps } }) => [
      ...(remove ?? []).map((glob, at) => value(`remove.${number(at)}`, glob)),
      ...(prefixInBinaries ?? []).map((glob, at) => value(`prefixInBinary.${number(at)}`, glob)),
      ...(hostLibraries ?? []).map((soname) => value(`hostLibrary.${soname}`, 'allowed')),
      value('strip', String(strip ?? true)),
      value('reaches-prefix', canonicalJson((deps ?? []).map(({ name }) => name).sort())),
    ],
  },
];

/** Everything that a stage rests on, including what the stages before it rest on. */
export function stageInputs(facts: StageFacts, upTo: KeyedStage): Input[] {
  const so = facts.assumed === undefined ? facts : { ...facts, package: facts.assumed };
  const last = table.findIndex(({ stage }) => stage === upTo);
  const rows = upTo === 'fetch' ? table.slice(0, 1) : table.slice(1, last + 1);
  return rows.flatMap(({ stage, rules, inputs }) => [value(`rules.${stage}`, String(rules)), ...inputs(so)]);
}
