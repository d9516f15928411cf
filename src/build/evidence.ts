/** Shows changes to the byte: adds what the old and the new contents say, where they are still to be had. */
import { dirname, join, resolve } from 'node:path';
import { type Package, packageId } from '../buildfile/package.ts';
import { readable } from '../key/step-text.ts';
import { type Digest, digestOf } from '../model/digest.ts';
import type { Change, FileChange, Root } from '../model/explanation.ts';
import { comesAlong } from '../sources/directory.ts';
import { digestFileSync, exists, isFolder, readBytes, walk } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import type { PackageFacts } from './facts.ts';
import { historiesOf, readInput } from './history.ts';
import { placesOf, type Workspace } from './workspace.ts';

/** A folder in which more files changed names the first ones only. */
const mostFiles = 20;

interface EvidenceSources {
  readonly workspace: Workspace;
  /** By `name@version`. */
  readonly packages: ReadonlyMap<string, { readonly package: Package; readonly facts: PackageFacts | undefined }>;
}

export async function withEvidence(roots: readonly Root[], from: EvidenceSources): Promise<Root[]> {
  if (roots.every(({ changes }) => changes.length === 0)) return [...roots];
  const differ = await import('../patches/text-diff.ts');
  return roots.map((root) => {
    const at = from.packages.get(root.package);
    return at === undefined ? root : { ...root, changes: root.changes.map((change) => shown(change, at)) };
  });

  function shown(change: Change, { package: one, facts }: NonNullable<ReturnType<typeof from.packages.get>>): Change {
    switch (change.kind) {
      case 'patch':
        if (change.what !== 'changed') return change;
        return {
          ...change,
          content: compared(change.content, (digest) => patchBytes(digest, one, facts, from.workspace)),
        };
      case 'source': {
        const files = folderChanges(change.before, one, from.workspace);
        if (files === undefined) return change;
        const more = files.length - mostFiles;
        return {
          ...change,
          files: files.slice(0, mostFiles).map((file) => compared(file, file.bytes)),
          ...(more > 0 && { moreFiles: more }),
        };
      }
      case 'value': {
        const [before, now] = [change.before, change.now].map((text) =>
          text === undefined ? text : readable(change.input, text),
        );
        return {
          ...change,
          ...(before !== undefined && { before }),
          ...(now !== undefined && { now }),
          ...(before?.includes(' ') && now?.includes(' ') && { words: differ.wordDiff(before, now) }),
        };
      }
      default:
        return change satisfies never;
    }
  }

  function compared(change: FileChange, bytesOf: (digest: string) => Uint8Array | undefined): FileChange {
    const { file, before, now, nature } = change;
    const [was, is] = [before, now].map((digest) => (digest === undefined ? undefined : bytesOf(digest)));
    const told = {
      file,
      ...(before !== undefined && { before }),
      ...(now !== undefined && { now }),
      ...(nature && { nature }),
    };
    if (was === undefined || is === undefined) return told;
    const first = differ.firstDifference(was, is);
    const diff = differ.lineDiff(was, is);
    return { ...told, ...(first !== undefined && { first }), ...(diff !== undefined && { diff }) };
  }
}

/** From the history, or from the project's own file where that still is the one. */
function patchBytes(
  digest: string,
  one: Package,
  facts: PackageFacts | undefined,
  workspace: Workspace,
): Uint8Array | undefined {
  for (const places of historiesOf(workspace, one)) {
    const bytes = readInput(places, digest);
    if (bytes !== undefined) return bytes;
  }
  const path = facts?.patches.find(({ input }) => input.value === digest)?.input.file?.path;
  const bytes = path !== undefined && exists(path) ? readBytes(path) : undefined;
  return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
}

/** For a folder of the project: its files against those of the copy that the last run made, if that is the one meant. */
function folderChanges(
  before: string,
  one: Package,
  workspace: Workspace,
): (FileChange & { readonly bytes: (digest: string) => Uint8Array | undefined })[] | undefined {
  if (one.source.kind !== 'directory' || !('path' in one.source)) return undefined;
  const folder = resolve(workspace.folder, one.source.path);
  const copy = placesOf(workspace, one).source;
  if (!isFolder(folder) || !isFolder(copy) || treeDigest(copy) !== before) return undefined;
  const [was, is] = [entriesIn(copy), entriesIn(folder)];
  const paths = [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .filter((path) => was.get(path)?.digest !== is.get(path)?.digest || was.get(path)?.nature !== is.get(path)?.nature);
  return paths.map((path) => {
    const [then, now] = [was.get(path), is.get(path)];
    const isCommon = [then, now].every((entry) => entry === undefined || entry.nature === 'file');
    return {
      file: join(one.source.kind === 'directory' ? one.source.path : '', path),
      ...(then?.digest !== undefined && { before: then.digest }),
      ...(now?.digest !== undefined && { now: now.digest }),
      ...(!isCommon && { nature: { ...(then && { before: then.nature }), ...(now && { now: now.nature }) } }),
      bytes: (digest) => readBytes(join(digest === then?.digest ? copy : folder, path)),
    };
  });
}

/** What the digest of a tree rests on, by path: of a folder that holds anything, what it holds. */
function entriesIn(folder: string): Map<string, { readonly nature: string; readonly digest?: Digest }> {
  const entries = walk(folder).filter(({ path }) => path.split('/').every(comesAlong));
  const parents = new Set(entries.map(({ path }) => dirname(path)));
  return new Map(
    entries
      .filter(({ path, type }) => type !== 'directory' || !parents.has(path))
      .map(({ path, type, mode, target }) => {
        if (type === 'symlink') return [path, { nature: `link to ${target}` }];
        if (type !== 'file') return [path, { nature: type === 'directory' ? 'empty folder' : 'special file' }];
        const digest = digestFileSync(join(folder, path));
        return [path, { nature: mode & 0o100 ? 'executable file' : 'file', digest }];
      }),
  );
}

export const evidenceFor = (
  workspace: Workspace,
  packages: readonly Package[],
  known: ReadonlyMap<Package, PackageFacts>,
): EvidenceSources => ({
  workspace,
  packages: new Map(packages.map((one) => [packageId(one), { package: one, facts: known.get(one) }])),
});
