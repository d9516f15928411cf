/** An archive being unpacked: writes the members that the guard admits, with plain modes, and shapes the tree at the end. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createHash, hash } from 'node:crypto';
import { join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { archiveLimits, archiveRefused, MemberTable, nameParts } from './archive-guard.ts';
import { digestFileSync, namesIn, removeTree, temporaryName, type TreeEntry, writeAll } from './files.ts';

export interface Shape {
  /** Leading parts to drop from every name, as tar's `--strip-components`: what has no more parts than that is left out. */
  readonly strip?: number;
  /** The folder, relative to what `strip` leaves, that becomes the tree; all else is left out. */
  readonly subdir?: string;
}

/** One thing as it was written; `path` is relative to the tree's top. */
export interface Written extends Pick<TreeEntry, 'path' | 'type' | 'mode' | 'target'> {
  /** SHA-256 of the content of a file. */
  digest?: Digest;
}

/** Where the bytes of one file go. */
export interface FileSink {
  write(bytes: Uint8Array): void;
  /** Must be called, also after a failure. */
  close(): void;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const newFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

export class Unpacking {
  readonly #into: string;
  readonly #shape: Shape;
  readonly #packedBytes: number;
  readonly #members = new MemberTable();
  #streamBytes = 0;
  #fileBytes = 0;
  #current = '';
  readonly #exactModes = new Map<number, boolean>();
  readonly #written: Map<string, Written> | undefined;
  /** Of the regular files, in their order, complete at the end; when given, none are taken here. */
  #digests: readonly Digest[] | undefined;
  readonly #undigested: Written[] = [];

  /**
   * @param into        Absolute path of an existing, empty folder that nobody else writes to.
   * @param packedBytes Size of the archive, for the limit on growth.
   * @param written     Takes all that is written, by its path in the tree; not with a top folder to drop.
   */
  constructor(into: string, packedBytes: number, shape: Shape, written?: Map<string, Written>) {
    this.#written = written;
    this.#into = into;
    this.#packedBytes = packedBytes;
    this.#shape = shape;
  }

  /** Counts bytes of the decompressed stream. */
  countStream(bytes: number): void {
    this.#streamBytes += bytes;
    this.#holdTo(this.#streamBytes);
  }

  /** Spares the digests of regular files: these are theirs, in their order. @param digests Complete when `finish` is called. */
  useDigests(digests: readonly Digest[]): void {
    this.#digests = digests;
  }

  directory(name: string): void {
    const parts = this.#parts(name);
    if (parts === undefined) return;
    const { folders, isNew } = this.#members.add(name, parts, 'directory');
    this.#makeFolders(isNew ? [...folders, parts.join('/')] : folders);
  }

  /** A regular file; `executable` is all that is kept of its mode. */
  file(name: string, executable: boolean): FileSink {
    const parts = this.#parts(name);
    if (parts === undefined) return { write() {}, close() {} };
    const path = parts.join('/');
    const file = this.#newFile(name, parts, path, executable);
    const digest = this.#isDigested ? createHash('sha256') : undefined;
    return {
      write: (bytes) => {
        this.#countFile(bytes.length);
        digest?.update(bytes);
        writeAll(file, bytes);
      },
      close: () => {
        closeSync(file);
        this.#noteFile(path, executable, digest?.digest('hex') as Digest | undefined);
      },
    };
  }

  /** The same for one whose content is there as a whole. */
  wholeFile(name: string, executable: boolean, content: Uint8Array): void {
    const parts = this.#parts(name);
    if (parts === undefined) return;
    this.#countFile(content.length);
    const path = parts.join('/');
    const file = this.#newFile(name, parts, path, executable);
    try {
      writeAll(file, content);
    } finally {
      closeSync(file);
    }
    this.#noteFile(path, executable, this.#isDigested ? (hash('sha256', content) as Digest) : undefined);
  }

  symlink(name: string, target: string): void {
    const parts = this.#parts(name);
    if (parts === undefined) return;
    this.#makeFolders(this.#members.add(name, parts, 'symlink', target).folders);
    const path = parts.join('/');
    symlinkSync(target, join(this.#into, path));
    this.#written?.set(path, { path, type: 'symlink', mode: 0o777, target });
  }

  /** A second name of an earlier file; written as a copy, so that a step that edits one never changes the other. */
  hardLink(name: string, target: string): void {
    const parts = this.#parts(name);
    if (parts === undefined) return;
    const from = nameParts(target).slice(this.#shape.strip ?? 0);
    if (this.#members.typeOf(from.join('/')) !== 'file')
      throw archiveRefused(
        name,
        `it is a hard link to ${JSON.stringify(target)}, which is no earlier file of the archive`,
      );
    this.#makeFolders(this.#members.add(name, parts, 'file').folders);
    const path = parts.join('/');
    const first = join(this.#into, ...from);
    this.#countFile(statSync(first).size);
    copyFileSync(first, join(this.#into, path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const same = this.#written?.get(from.join('/'));
    if (same !== undefined) this.#written?.set(path, { ...same, path, digest: same.digest ?? digestFileSync(first) });
  }

  /**
   * Makes the tree what the shape says: without `strip`, a top folder that holds everything is dropped.
   * @throws {VbuildError} `archive-refused` for links that leave the tree, an archive without members; `source-missing` for a `subdir` that is not there.
   */
  finish(): void {
    if (this.#members.size === 0) throw archiveRefused(undefined, 'it holds nothing that could be unpacked');
    if (this.#undigested.length !== (this.#digests?.length ?? 0))
      throw archiveRefused(undefined, 'it holds files in a way that can be read in more than one');
    for (const [at, file] of this.#undigested.entries()) file.digest = this.#digests?.[at] as Digest;
    const top = this.#shape.strip === undefined ? (this.#members.soleTopFolder() ?? '') : '';
    const root = [top, ...nameParts(this.#shape.subdir ?? '')].filter((part) => part !== '').join('/');
    if (root !== '' && this.#members.typeOf(root) !== 'directory')
      throw new VbuildError('source-missing', 'Archive has no such folder', {
        facts: { expected: this.#shape.subdir ?? '', found: namesIn(join(this.#into, top)).slice(0, 20).join(', ') },
        mend: 'correct subdir, which begins below the folder that holds all of the archive, or below what strip leaves',
      });
    this.#members.refuseStrayLinks(root);
    if (root !== '') hoist(this.#into, root);
  }

  /** The name of the member at work, for messages about trouble that has no name of its own. */
  get current(): string {
    return this.#current;
  }

  /** The name's parts below the tree, or undefined when the member is left out. */
  #parts(name: string): string[] | undefined {
    this.#current = name;
    const parts = nameParts(name).slice(this.#shape.strip ?? 0);
    return parts.length === 0 ? undefined : parts;
  }

  #newFile(name: string, parts: readonly string[], path: string, executable: boolean): number {
    this.#makeFolders(this.#members.add(name, parts, 'file').folders);
    const mode = executable ? 0o755 : 0o644;
    const file = openSync(`${this.#into}/${path}`, newFile, mode);
    this.#settleMode(file, mode);
    return file;
  }

  get #isDigested(): boolean {
    return this.#written !== undefined && this.#digests === undefined;
  }

  #noteFile(path: string, executable: boolean, digest: Digest | undefined): void {
    if (this.#written === undefined) return;
    const file: Written = { path, type: 'file', mode: executable ? 0o755 : 0o644, ...(digest && { digest }) };
    this.#written.set(path, file);
    if (digest === undefined) this.#undigested.push(file);
  }

  #countFile(bytes: number): void {
    this.#fileBytes += bytes;
    this.#holdTo(this.#fileBytes);
  }

  /** Open's own mode is cut by the umask, or by what the folder hands down; the first file of each mode tells, which spares a call for each other one. */
  #settleMode(file: number, mode: 0o755 | 0o644): void {
    let exact = this.#exactModes.get(mode);
    if (exact === undefined) {
      exact = (fstatSync(file).mode & 0o7777) === mode;
      this.#exactModes.set(mode, exact);
    }
    if (!exact) fchmodSync(file, mode);
  }

  #makeFolders(folders: readonly string[]): void {
    for (const folder of folders) {
      const path = join(this.#into, folder);
      mkdirSync(path);
      chmodSync(path, 0o755);
      this.#written?.set(folder, { path: folder, type: 'directory', mode: 0o755 });
    }
  }

  #holdTo(bytes: number): void {
    const { ratio, ratioFromBytes, unpackedBytes } = archiveLimits;
    if (bytes > unpackedBytes)
      throw archiveRefused(this.#current, `the archive unpacks to more than ${unpackedBytes} bytes`);
    if (bytes > ratioFromBytes && bytes > ratio * this.#packedBytes)
      throw archiveRefused(this.#current, `the archive unpacks to more than ${ratio} times its size`);
  }
}

/** Puts the content of `into/root` in the place of everything else in `into`. */
function hoist(into: string, root: string): void {
  const aside = temporaryName(join(into, 'root'));
  renameSync(join(into, root), aside);
  for (const name of readdirSync(into)) if (join(into, name) !== aside) removeTree(join(into, name));
  for (const name of readdirSync(aside)) renameSync(join(aside, name), join(into, name));
  rmdirSync(aside);
}
