/** What each option of a package and of a build must be: one table each, named after the types that authors see (pure). */
import { cacheProblems } from '../cache/cache-spec.ts';
import { recipeProblems } from '../compile/recipe-problems.ts';
import { toolNames } from '../compile/tools.ts';
import { nearest } from '../model/nearest.ts';
import { type SourceSpec, sourceKind, sourceKinds } from '../sources/index.ts';
import {
  type Check,
  type Mistake,
  each,
  elements,
  flag,
  fromClauses,
  isRecord,
  listOf,
  oneOf,
  record,
  spelt,
  text,
  unknownOptions,
  wrong,
} from './checks.ts';
import { describe } from './describe.ts';
import { mirrorList } from './mirror-checks.ts';
import { trustCheck } from './trust-checks.ts';
import { type BuildOptions, type Package, type PackageOptions, definitionOf, isPackage, packageId } from './package.ts';
import { platformSpelling } from '../system/platform.ts';

const globs = listOf('a list of globs', spelt(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0]+$/, 'a glob relative to the prefix'));

/** Checks of everything that an author gives to `definePackage` and `defineBuild`. */
interface OptionChecks {
  readonly packageName: Check;
  readonly packageOptions: Check;
  readonly buildOptions: Check;
}

/**
 * @param known         Every package that the build reaches, to tell which one a wrong dependency meant.
 * @param reservedNames Names that no package may bear.
 */
export function optionChecks(known: readonly Package[], reservedNames: readonly string[]): OptionChecks {
  const names = known.map(({ name }) => name).filter((name) => typeof name === 'string');
  const packageList: Check = (value, option) => packagesIn(value, option, names);
  const packageTable: Readonly<Record<keyof PackageOptions, Check>> = {
    version: spelt(
      /^[A-Za-z0-9][A-Za-z0-9.+~-]*$/,
      "upstream's version: letters, digits and . + ~ -, a letter or digit first",
    ),
    source: sourceCheck,
    patches: patchesCheck,
    deps: packageList,
    buildDeps: packageList,
    // Looked at below, because it needs the tools too.
    recipe: () => [],
    tools: each('a list of tools', oneOf(toolNames)),
    remove: globs,
    prefixInBinaries: globs,
    hostLibraries: each('a list of SONAMEs', spelt(/^[^/\s]+\.so(\.[^/\s]+)*$/, 'a SONAME such as libX11.so.6')),
    network: flag,
    strip: flag,
  };
  const buildTable: Readonly<Record<keyof BuildOptions, Check>> = {
    packages: (value, option) =>
      Array.isArray(value) && value.length === 0
        ? wrong(option, 'at least one package', value)
        : packageList(value, option),
    defaults: packageList,
    platforms: each('a list of platforms', spelt(platformSpelling, 'a platform such as linux-x64-glibc debian-12')),
    trust: trustCheck,
    mirrors: mirrorList,
    cache: listOf('a list of what s3(), directoryCache() or httpCache() returns', (value, option) =>
      fromClauses(option, cacheProblems(value), value),
    ),
  };
  const packageRecord = record('version, source and recipe', packageTable, ['version', 'source', 'recipe']);
  return {
    packageName: (value, option) => nameMistakes(value, option, reservedNames),
    packageOptions: (value, option) => [
      ...packageRecord(isRecord(value) ? withoutName(value) : value, option),
      ...(isRecord(value) && value['recipe'] !== undefined ? recipeMistakes(value['recipe'], value['tools']) : []),
    ],
    buildOptions: record('packages, and if need be defaults, cache, mirrors, platforms and trust', buildTable, [
      'packages',
    ]),
  };
}

/** The name comes again in `definePackage('next', { ...pil, version: '12' })`, where the first argument is the one that counts. */
const withoutName = (given: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(given).filter(([option]) => option !== 'name'));

function nameMistakes(value: unknown, option: string, reservedNames: readonly string[]): readonly Mistake[] {
  const expected = 'small letters, digits and + . -, a letter or digit first';
  if (typeof value !== 'string')
    return wrong(option, expected, value, 'give the name as the first argument of definePackage()');
  if (reservedNames.includes(value)) {
    return [
      {
        headline: 'Package bears the name of a command',
        facts: { option, expected: 'a name that is not a command of vbuild', found: describe(value) },
        mend: `call it lib${value}, or ${value} with a suffix`,
      },
    ];
  }
  const spelling = /^[a-z0-9][a-z0-9+.-]*$/;
  const mended = value
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
  return spelling.test(value)
    ? []
    : wrong(option, expected, value, spelling.test(mended) ? `write '${mended}'` : 'write the name with these letters');
}

function packagesIn(value: unknown, option: string, names: readonly string[]): readonly Mistake[] {
  if (!Array.isArray(value)) {
    return wrong(
      option,
      'a list of packages',
      value,
      isPackage(value) ? `write [${value.name}], in brackets` : 'list the values that definePackage() returned',
    );
  }
  const seen = new Set();
  const twice = new Set(value.filter((one) => isPackage(one) && (seen.has(one) || !seen.add(one))) as Package[]);
  return [
    ...elements(value, option, (one, at) => (isPackage(one) ? [] : [notPackage(one, at, names)])),
    ...[...twice].map((one) => ({
      headline: 'Package is listed twice',
      facts: { option, expected: 'each package once', found: packageId(one) },
      mend: `list ${one.name} once`,
    })),
  ];
}

function notPackage(value: unknown, option: string, names: readonly string[]): Mistake {
  const facts = {
    option,
    expected: 'a value that definePackage() returned',
    found: definitionOf(value) ? 'a whole build' : describe(value),
  };
  const mend = (): string => {
    if (value === undefined)
      return 'define the package before it is used here, and see that what is imported is exported';
    const name = typeof value === 'string' ? value.split('@', 1)[0] : isRecord(value) ? value['name'] : undefined;
    if (typeof name !== 'string') return 'write the value that definePackage() returned';
    const meant = typeof value === 'string' ? nearest(name, names) : undefined;
    return meant
      ? `write the value of definePackage('${meant}', …) in place of its name`
      : `define it: definePackage('${name}', …)`;
  };
  return { headline: 'A listed value is not a package', facts, mend: mend() };
}

/** The kinds check their own specs; what they cannot be asked about is anything that no source function returned. */
const sourceCheck: Check = (value, option) => {
  const expected = 'what a source function such as tarball(), git() or debian() returns';
  if (typeof value === 'function') return wrong(option, expected, value, `call it: ${value.name || 'tarball'}(…)`);
  if (!isRecord(value) || !sourceKinds.some(({ kind }) => kind === value['kind']))
    return wrong(option, expected, value, 'write a source, such as tarball(…)');
  const spec = value as unknown as SourceSpec;
  const kind = sourceKind(spec);
  const { kind: _, ...given } = value;
  return [...unknownOptions(given, kind.options, `${option}.`), ...fromClauses(option, kind.problems(spec), value)];
};

const patchPath = text('the path of a patch, relative to the Buildfile');
const patchEntry = record(
  'a path, or an object with file and strip',
  {
    file: patchPath,
    strip: (value, option) =>
      Number.isInteger(value) && Number(value) >= 0 ? [] : wrong(option, 'a whole number from 0 up', value),
  },
  ['file'],
);
const patchesCheck: Check = (value, option) => {
  if (!Array.isArray(value)) return text('a folder relative to the Buildfile, or a list of patches')(value, option);
  return elements(value, option, (one, at) => (isRecord(one) ? patchEntry : patchPath)(one, at));
};

/** Recipes and their tools check themselves; what comes here besides is anything that no recipe function returned. */
function recipeMistakes(value: unknown, extraTools: unknown): readonly Mistake[] {
  if (typeof value === 'function') {
    return wrong('recipe', 'what a recipe function returns', value, `call it: ${value.name || 'autotools'}()`);
  }
  const tools = Array.isArray(extraTools) ? extraTools.filter((one) => typeof one === 'string') : [];
  // Of a recipe, its steps are what the author wrote.
  return fromClauses('recipe', recipeProblems(value, tools), isRecord(value) ? (value['steps'] ?? value) : value);
}
