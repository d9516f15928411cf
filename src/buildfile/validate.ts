/** Checks a Buildfile as a whole and lists every mistake in it, each with the place where it was written (pure). */
import { VbuildError, VbuildErrors } from '../model/error.ts';
import { reservedNames } from '../model/reserved-names.ts';
import type { Mistake } from './checks.ts';
import { optionChecks } from './option-checks.ts';
import { type Build, type BuildDefinition, type Definition, type Package, definitionOf, packageId } from './package.ts';
import { cyclesAmong, meetings, packagesOf, pathText, reachable } from './relations.ts';

/**
 * Everything a Buildfile says, checked: from here on packages are what their types promise, there is no cycle, no two
 * packages have one name and version, and no prefix would hold two versions of one package.
 *
 * @throws {VbuildErrors} of code `buildfile-invalid`: every mistake, in the order of the Buildfile, each with the file and
 *   line of the `definePackage` or `defineBuild` call, with what was expected and what was found.
 */
export function validate(definition: BuildDefinition): Build {
  const listed = packagesOf(definition.packages);
  const defaults = packagesOf(definition.defaults);
  const packages = reachable([...listed, ...defaults]);
  const errors = [
    ...optionErrors(definition, packages),
    ...duplicates(packages),
    ...cyclesAmong(packages).map(cycleError),
    ...meetingErrors(packages),
    ...(listed.length > 0 ? strayDefaults(definition, defaults, new Set(reachable(listed))) : []),
  ];
  if (errors.length > 0) throw new VbuildErrors(errors);
  const { cache = [], mirrors = [], platforms, trust } = definition;
  return {
    packages,
    defaults: definition.defaults ?? definition.packages,
    cache,
    mirrors,
    ...(platforms && { platforms }),
    ...(trust && { trust }),
  };
}

function optionErrors(definition: BuildDefinition, packages: readonly Package[]): VbuildError[] {
  const checks = optionChecks(packages, reservedNames);
  return [
    ...packages.flatMap((one) => {
      const mistakes = [
        ...checks.packageName(one.name, 'name'),
        ...checks.packageOptions(definitionOf(one)?.given, ''),
      ];
      return mistakes.map((mistake) => placed(mistake, one));
    }),
    ...checks.buildOptions(definitionOf(definition)?.given, '').map((mistake) => placed(mistake, definition)),
  ];
}

function duplicates(packages: readonly Package[]): VbuildError[] {
  const first = new Map<string, Package>();
  return packages.flatMap((one) => {
    const id = packageId(one);
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, one);
    if (earlier === undefined) return [];
    return [
      placed(
        {
          headline: 'Two packages have one name and version',
          facts: {
            expected: 'one definition of each name and version',
            found: `${id}, first defined at ${placeText(earlier)}`,
          },
          mend: 'give one of them another version or name, or leave it out',
        },
        one,
      ),
    ];
  });
}

function cycleError(cycle: readonly Package[]): VbuildError {
  const first = cycle[0] as Package;
  return placed(
    {
      headline: 'Packages depend on one another in a cycle',
      facts: { expected: 'dependencies that end', found: pathText([...cycle, first]) },
      mend: 'take out one of these dependencies',
    },
    first,
  );
}

const meetingErrors = (packages: readonly Package[]): VbuildError[] =>
  meetings(packages).map(({ name, paths: [one, other], at, prefix }) =>
    placed(
      {
        headline: 'Two versions of one package would lie in one prefix',
        facts: {
          expected: `one version of ${name} in ${prefix === 'own' ? `a prefix with ${packageId(at)}` : `the private prefix that ${packageId(at)} compiles against`}`,
          first: pathText(one),
          second: pathText(other),
        },
        mend: `let both ways lead to one version of ${name}`,
      },
      at,
    ),
  );

const strayDefaults = (
  definition: BuildDefinition,
  defaults: readonly Package[],
  packages: ReadonlySet<Package>,
): VbuildError[] =>
  defaults
    .filter((one) => !packages.has(one))
    .map((one) =>
      placed(
        {
          headline: 'A default is not among the packages',
          facts: {
            option: 'defaults',
            expected: 'packages that are listed, or that a listed one depends on',
            found: packageId(one),
          },
          mend: `add ${one.name} to packages`,
        },
        definition,
      ),
    );

/** A mistake as an error, at the place where the package or build was defined. */
function placed({ headline, facts, mend }: Mistake, whose: Package | BuildDefinition): VbuildError {
  const definition = definitionOf(whose);
  const where = {
    ...placeOf(definition),
    ...(definition?.kind === 'package' && { package: nameOf(whose as Package) }),
  };
  return new VbuildError('buildfile-invalid', headline, { where, facts, mend });
}

/** As in `packageId`, for packages that may not have a proper name or version. */
const nameOf = ({ name, version }: { readonly name: unknown; readonly version?: unknown }): string =>
  `${String(name)}${typeof version === 'string' ? `@${version}` : ''}`;

const placeOf = (definition: Definition | undefined): { file?: string; line?: number } =>
  definition ? { file: definition.file, line: definition.line } : {};

const placeText = (one: Package): string => {
  const { file, line } = placeOf(definitionOf(one));
  return `${file}:${line}`;
};
