/** Tells an archive that upstream only packed anew from one whose content changed; the tree decides what is built, so the first one will do. */
import { VbuildError } from '../model/error.ts';
import type { Digest } from '../model/digest.ts';
import { canonicalJson } from '../key/fields.ts';
import { type SourceSpec, sourceKind } from '../sources/index.ts';
import type { FetchTarget, Pin, SourceContext } from '../sources/source.ts';
import { emptyFolder } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';

interface Offered {
  readonly source: SourceSpec;
  readonly pin: Pin;
  /** What the pinned archives unpack to. */
  readonly tree: Digest;
  /** Filled anew. */
  readonly target: FetchTarget;
  /** How it was noticed. */
  readonly mismatch: VbuildError;
}

/**
 * Fills the target with what upstream offers now if that is the pinned tree.
 *
 * @throws {VbuildError} `pin-mismatch` when it is another tree, or when the Buildfile insists on the archive itself.
 */
export async function takeRepacked(offered: Offered, context: SourceContext): Promise<void> {
  const { source, pin, tree, target, mismatch } = offered;
  const kind = sourceKind(source);
  if (kind.loosened === undefined) throw mismatch;
  const loose = kind.loosened(source);
  let now: Pin;
  try {
    now = await kind.resolve(loose, context);
    emptyFolder(target.tree);
    emptyFolder(target.series);
    await kind.fetch(loose, now, target, context);
  } catch (error) {
    if (error instanceof VbuildError) throw mismatch;
    throw error;
  }
  const found = treeDigest(target.tree);
  const { url } = mismatch.facts;
  const facts = {
    ...(url !== undefined && { url }),
    expected: `${archivesOf(pin, now)}; with the tree ${tree}`,
    found: `${archivesOf(now, pin)}; with the tree ${found}`,
  };
  if (found !== tree)
    throw new VbuildError('pin-mismatch', 'Upstream changed the content of the source', {
      where: mismatch.where,
      facts,
      mend: 'find out why upstream changed it; if the change is meant, pin it anew with vbuild update',
    });
  const headline = 'Upstream packed the source anew, with the same content';
  if (canonicalJson(loose) !== canonicalJson(source))
    throw new VbuildError('pin-mismatch', headline, {
      where: mismatch.where,
      facts,
      mend: 'give the new sha256 in the Buildfile, or leave it out: the tree in the lock file is insisted on as well',
    });
  const mend = `pin the new archive with vbuild update ${context.package.replace(/@.*$/, '')}`;
  context.emit({
    type: 'notice',
    level: 'warning',
    code: 'source-repacked',
    headline,
    package: context.package,
    facts: { ...facts, mend },
  });
}

/** Those that are not in the other pin, such as `x.tar.gz SHA-256 …`. */
function archivesOf({ files = [] }: Pin, other: Pin): string {
  const own = files.filter(({ digest }) => !(other.files ?? []).some((one) => one.digest === digest));
  return own.map(({ name, digest }) => `${name} SHA-256 ${digest}`).join(', ');
}
