/** What a command is to work on: names from the command line → packages of the build (pure). */
import { throwAll, VbuildError } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';
import { reservedNames } from '../model/reserved-names.ts';
import { type Build, type Package, packageId } from './package.ts';
import { mixedVersions, pathText } from './relations.ts';

/** All that bear a name: several versions, or the one of a `name@version`. */
export const packagesCalled = (name: string, { packages }: Pick<Build, 'packages'>): Package[] =>
  packages.filter((one) => name === one.name || name === packageId(one));

/**
 * The packages that targets name, each once, in the order given; the build's defaults when there are no targets.
 *
 * @param targets Each a `name`, or `name@version` where a build holds several versions.
 * @throws {VbuildError} `unknown-target`, with the name that was probably meant; `ambiguous-target` where a name stands for
 *   several versions; several mistakes come as one `VbuildErrors`.
 */
export function selectTargets(build: Build, targets: readonly string[]): readonly Package[] {
  if (targets.length === 0) return build.defaults;
  const selected = new Set<Package>();
  const errors: VbuildError[] = [];
  for (const target of new Set(targets)) {
    const found = packagesCalled(target, build);
    if (found.length > 1) errors.push(ambiguous(target, found));
    else if (found[0] === undefined) errors.push(unknown(target, build.packages));
    else selected.add(found[0]);
  }
  throwAll(errors);
  return [...selected];
}

/** The one package that a target names. @throws {VbuildError} as `selectTargets` */
export function selectTarget(build: Build, target: string): Package {
  const [one] = selectTargets(build, [target]);
  if (one === undefined) throw new Error('a target selects no package');
  return one;
}

/**
 * Insists that these packages can share one prefix: that they and what they need to run hold one version of each name.
 *
 * @throws {VbuildError} `buildfile-invalid`, with the two ways that lead to two versions.
 */
export function insistOnOnePrefix(packages: readonly Package[]): void {
  const [first] = mixedVersions(packages);
  if (first === undefined) return;
  const [one, other] = first.paths;
  throw new VbuildError('buildfile-invalid', 'These targets cannot share one prefix', {
    facts: { expected: `one version of ${first.name}`, first: pathText(one), second: pathText(other) },
    mend: 'install them into two prefixes, one run each with --prefix',
  });
}

function ambiguous(target: string, found: readonly Package[]): VbuildError {
  const ids = found.map(packageId);
  return new VbuildError('ambiguous-target', 'Target stands for several packages', {
    facts: { expected: ids.join(' or '), found: target },
    mend: `name one with its version, such as ${ids[0]}`,
  });
}

function unknown(target: string, packages: readonly Package[]): VbuildError {
  const [name = ''] = target.split('@', 1);
  const versions = packages.filter((one) => one.name === name).map(packageId);
  const names = [...new Set(packages.map((one) => one.name))];
  const meant = versions.length > 0 ? versions.join(' or ') : nearest(name, names);
  // The first word of a command line may have been meant as a command.
  const command = nearest(name, reservedNames);
  return new VbuildError('unknown-target', 'There is no such target', {
    facts: { expected: versions.length > 0 ? versions.join(' or ') : `one of ${names.join(', ')}`, found: target },
    mend: target.includes('=')
      ? 'set variables in the recipe, as in env: { CFLAGS: … }; vbuild plan --set says beforehand what that comes to'
      : meant
        ? `say ${meant}`
        : `see what there is with: vbuild list${command ? `; ${command} is a command` : ''}`,
  });
}
