/** Merges unpacked artifacts into one tree: a prefix to compile against, or the content of one to install. */
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Manifest, ManifestFile } from '../artifact/manifest.ts';
import { isPythonRecord, updatedRecord } from '../artifact/python-record.ts';
import { type Digest, digestOf } from '../model/digest.ts';
import { throwAll, VbuildError } from '../model/error.ts';
import { makeFolder, readBytes } from '../system/files.ts';
import { copyFile, makeSymlink, setMode, shareFile, takeFile, writeWithMode } from '../system/tree-edit.ts';
import { checkOwners } from './owners.ts';
import { namesPrefix, rewritten } from './rewritten.ts';

export interface Member {
  readonly manifest: Manifest;
  /** Absolute path of the unpacked artifact; every file in it was verified against the manifest. */
  readonly tree: string;
  /** Whether nobody needs the tree afterwards, so that a tree that is only read may take its files. */
  readonly isSpare?: boolean;
}

interface AssembleRequest {
  readonly members: readonly Member[];
  /** Absolute path of the tree; must not exist, or be an empty folder. After a failure it holds rubbish. */
  readonly into: string;
  /** Absolute path under which the tree will be used; it takes the token's place in files. */
  readonly prefixPath: string;
  /**
   * `copy`: plain files, for steps that may write in them. `reflink-or-hardlink`: for a tree that is only read;
   * its files are read-only, and so become those of the artifact that they share their bytes with.
   */
  readonly link: 'copy' | 'reflink-or-hardlink';
  /** Where a file may share the bytes of one that is installed already. */
  readonly equal?: EqualFile;
}

/** The absolute path of a file that holds these bytes, with this mode, and is only read; undefined when none is known. */
export type EqualFile = (digest: Digest, mode: number) => string | undefined;

/** A file or link as it lies in the tree. */
export interface InstalledFile extends Pick<ManifestFile, 'path' | 'type' | 'mode' | 'digest' | 'target'> {
  /** The package that it is of, `name@version`. */
  readonly package: string;
}

/** After this many files other work gets a turn: progress, signals. */
const turn = 64;

/**
 * @returns All that lies in the tree, in the order of the members and their files.
 * @throws {VbuildError | VbuildErrors} `install-refused`: a path with two owners, a package in two versions, a file that cannot name this prefix.
 */
export async function assemble(request: AssembleRequest): Promise<readonly InstalledFile[]> {
  const { members, into, prefixPath, link, equal } = request;
  checkOwners(members.map(({ manifest }) => manifest));
  const installed: InstalledFile[] = [];
  const refusals: VbuildError[] = [];
  const folders = new Set<string>();
  let done = 0;
  makeFolder(into);
  setMode(into, 0o755);
  for (const { manifest, tree, isSpare = false } of members) {
    const { name, version } = manifest.package;
    for (const file of manifest.files) {
      const mode = installedMode(file, link);
      let digest = file.digest;
      const [from, to] = [join(tree, file.path), join(into, file.path)];
      makeParents(into, dirname(file.path), folders);
      if ((done += 1) % turn === 0) await setImmediate();
      if (file.type === 'symlink') makeSymlink(file.target ?? '', to);
      else if (namesPrefix(file) || mayChange(file, manifest)) {
        const text = textFor(file, manifest, tree, prefixPath);
        if (typeof text === 'string') refusals.push(unfit(manifest, file.path, prefixPath, text));
        else {
          writeWithMode(to, text, mode);
          digest = digestOf(text);
        }
      } else if (link === 'copy') copyFile(from, to, mode);
      else {
        const same = digest && equal?.(digest, mode);
        if (same === undefined && isSpare) takeFile(from, to, mode);
        else shareFile(same ?? from, to, mode);
      }
      const { path, type, target } = file;
      const shape = type === 'symlink' ? { target: target ?? '' } : { mode, ...(digest && { digest }) };
      installed.push({ path, type, ...shape, package: `${name}@${version}` });
    }
  }
  throwAll(refusals);
  return installed;
}

const installedMode = ({ mode = 0o644 }: ManifestFile, link: AssembleRequest['link']): number =>
  link === 'copy' ? mode : mode & 0o555;

/** Lists of digests go with the files that they list. */
const mayChange = (file: ManifestFile, { files }: Manifest): boolean =>
  isPythonRecord(file.path) && files.some(namesPrefix);

/** The bytes of a file in this prefix, or why it cannot have any. */
function textFor(file: ManifestFile, { files }: Manifest, tree: string, prefixPath: string): Buffer | string {
  const result = rewritten(file, readBytes(join(tree, file.path)), prefixPath);
  if ('refused' in result) return result.refused;
  if (!isPythonRecord(file.path)) return result.bytes;
  const others = new Map(files.map((other) => [other.path, other]));
  const record = updatedRecord(file.path, result.bytes.toString(), (path) => {
    const other = others.get(path);
    if (other === undefined || !namesPrefix(other)) return 'as-listed';
    const moved = rewritten(other, readBytes(join(tree, path)), prefixPath);
    return 'bytes' in moved ? moved.bytes : 'as-listed';
  });
  return Buffer.from(record);
}

function makeParents(into: string, folder: string, made: Set<string>): void {
  if (folder === '.' || made.has(folder)) return;
  makeParents(into, dirname(folder), made);
  makeFolder(join(into, folder));
  setMode(join(into, folder), 0o755);
  made.add(folder);
}

const unfit = ({ package: { name, version } }: Manifest, file: string, prefix: string, found: string): VbuildError =>
  new VbuildError('install-refused', 'File cannot work in this prefix', {
    where: { file },
    facts: { artifact: `${name}@${version}`, prefix, found },
    mend: 'choose another prefix with --prefix, or list the file in `remove`',
  });
