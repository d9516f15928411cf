/** From a body back to a tree, which is there only once every file is exactly what the manifest says. */
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { digestFile, fileStat, makeFolder, moveIntoPlace, removeTree, temporaryName } from '../system/files.ts';
import { digestOfEntries } from '../system/tree-digest.ts';
import type { Written } from '../system/unpacking.ts';
import type { Manifest, ManifestFile } from './manifest.ts';

/**
 * Verifies a body against its manifest, unpacks it aside, verifies every file, and renames the tree into place.
 *
 * @param into Absolute path of the tree; must not exist. On failure nothing is there.
 * @throws {VbuildError} `artifact-refused`, before anything is unpacked when the body is not the one that the manifest names.
 */
export async function unpackVerified({
  manifest,
  bodyFile,
  into,
}: {
  readonly manifest: Manifest;
  readonly bodyFile: string;
  readonly into: string;
}): Promise<void> {
  const { body } = manifest;
  const found = fileStat(bodyFile)?.sizeBytes;
  if (found !== body.sizeBytes)
    throw refused(
      manifest,
      'Body of the artifact has another size',
      `${body.sizeBytes} bytes`,
      `${found ?? 'no'} bytes`,
    );
  const { prepareFor, unpackTarZst } = await import('../system/archive.ts');
  await prepareFor(found);
  const digest = await digestFile(bodyFile);
  if (digest !== body.digest)
    throw refused(manifest, 'Body of the artifact is not the one that its manifest names', body.digest, digest);
  const aside = temporaryName(into);
  makeFolder(aside);
  try {
    verifyFiles(manifest, await unpackTarZst({ file: bodyFile, into: aside }));
    moveIntoPlace(aside, into);
  } catch (error) {
    removeTree(aside);
    throw error;
  }
}

/** No file more, none less, each with its bytes and its mode. */
function verifyFiles(manifest: Manifest, written: readonly Written[]): void {
  const expected = new Map(manifest.files.map((file) => [file.path, file]));
  for (const { path, type, mode, target, digest } of written) {
    if (type === 'directory') continue;
    const file = expected.get(path);
    expected.delete(path);
    const seen = describe(
      type === 'symlink' ? { type, target: target ?? '' } : { type: 'file', executable: (mode & 0o100) !== 0, digest },
    );
    if (file === undefined)
      throw refused(manifest, 'Artifact holds a file that its manifest does not name', 'nothing', `${path}: ${seen}`);
    const said = describe(
      file.type === 'symlink'
        ? { type: 'symlink', target: file.target ?? '' }
        : { type: 'file', executable: file.mode === 0o755, digest: file.digest },
    );
    if (seen !== said)
      throw refused(manifest, 'File of the artifact is not what its manifest says', `${path}: ${said}`, seen);
  }
  const [missing] = expected.keys();
  if (missing !== undefined)
    throw refused(manifest, 'Artifact lacks a file that its manifest names', missing, 'nothing');
  const tree = digestOfEntries(written, ({ digest }) => digest as Digest);
  if (tree !== manifest.tree) throw refused(manifest, 'Tree of the artifact has another digest', manifest.tree, tree);
}

type Described =
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'file'; readonly executable: boolean; readonly digest: ManifestFile['digest'] };

const describe = (file: Described): string =>
  file.type === 'symlink' ? `link to ${file.target}` : `${file.executable ? 'program' : 'file'} ${file.digest}`;

const refused = (
  { package: { name, version } }: Manifest,
  headline: string,
  expected: string,
  found: string,
): VbuildError =>
  new VbuildError('artifact-refused', headline, {
    facts: { artifact: `${name}@${version}`, expected, found },
    mend: 'remove the damaged artifact from the cache, or build from source',
  });
