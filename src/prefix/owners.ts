/** Who owns which path of a prefix, and where two packages want the same one (pure). */
import type { Manifest } from '../artifact/manifest.ts';
import { firstFew } from '../model/count.ts';
import { throwAll, VbuildError } from '../model/error.ts';

const shown = 5;

/**
 * Every path must have one owner, no file of one package may stand where another has a folder, and one prefix holds one version of a package.
 *
 * @throws {VbuildError | VbuildErrors} `install-refused`: one error per pair of packages, naming both and the first few paths.
 */
export function checkOwners(manifests: readonly Manifest[]): void {
  const owners = new Map<string, string>();
  const clashes = new Map<string, { readonly first: string; readonly second: string; readonly paths: string[] }>();
  const clash = (first: string, second: string, path: string): void => {
    const pair = `${first} ${second}`;
    const known = clashes.get(pair) ?? { first, second, paths: [] };
    known.paths.push(path);
    clashes.set(pair, known);
  };
  const errors: VbuildError[] = [];
  const versions = new Map<string, string>();
  for (const {
    package: { name, version },
    files,
  } of manifests) {
    const id = `${name}@${version}`;
    const other = versions.get(name);
    if (other !== undefined)
      errors.push(
        new VbuildError('install-refused', 'One prefix cannot hold a package twice', {
          facts: { first: other, second: id },
          mend: 'let both dependents use one version, or install them in two prefixes',
        }),
      );
    versions.set(name, id);
    for (const { path } of files) {
      const owner = owners.get(path);
      if (owner !== undefined) clash(owner, id, path);
      else owners.set(path, id);
    }
  }
  for (const [path, owner] of owners) {
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const above = owners.get(path.slice(0, slash));
      if (above !== undefined) clash(above, owner, path);
    }
  }
  if (errors.length === 0) errors.push(...[...clashes.values()].map(ownedTwice));
  throwAll(errors);
}

function ownedTwice({
  first,
  second,
  paths,
}: {
  readonly first: string;
  readonly second: string;
  readonly paths: readonly string[];
}): VbuildError {
  return new VbuildError('install-refused', 'Two packages own one path', {
    facts: { first, second, paths: firstFew(paths, shown) },
    mend: `list the path in \`remove\` of ${first} or of ${second}`,
  });
}
