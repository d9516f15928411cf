/** Objects as files of a folder that others write to as well, perhaps on a network file system: create-only by links, without locks. */
import { constants, createReadStream } from 'node:fs';
import {
  access,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { copyHashed, landObject } from './landing.ts';
import {
  arriving,
  Damaged,
  type ListedObject,
  Stalled,
  type Traffic,
  within,
  type WritableObjects,
} from './objects.ts';
import { noteStuck } from './stuck.ts';

/** Trouble with the far folder, not with the disk here. */
export class FolderTrouble extends Error {
  override readonly name = 'FolderTrouble';
  /** The system's name for it, such as `ESTALE`. */
  readonly errno: string;

  constructor(errno: string, cause: unknown) {
    super(`the file system says ${errno}`, { cause });
    this.errno = errno;
  }
}

interface FolderOptions {
  /** How long one operation may take, in milliseconds. */
  readonly idleMs: number;
}

/** Whether this user may make files in a folder; false as well for one that is not there, or does not answer. */
export async function mayWriteIn(top: string, { idleMs }: FolderOptions, signal: AbortSignal): Promise<boolean> {
  try {
    await within(access(top, constants.W_OK | constants.X_OK), idleMs, signal);
    return true;
  } catch (error) {
    if (error instanceof Stalled) noteStuck();
    signal.throwIfAborted();
    return false;
  }
}

/** @param top Absolute; it must be there: a folder that is not mounted is not an empty one. */
export function openFolder(top: string, { idleMs }: FolderOptions): WritableObjects {
  const traffic: Traffic = { requests: 0, receivedBytes: 0, sentBytes: 0 };
  const pathOf = (name: string): string => join(top, name);

  /** A dead server answers nothing, for as long as one waits. */
  async function far<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await within(work, idleMs, signal);
    } catch (error) {
      throw troubleOf(error, signal);
    }
  }
  const counted = (): void => void (traffic.requests += 1);

  /** Without its folder nothing is absent. */
  async function read<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    counted();
    try {
      return await far(work(), signal);
    } catch (error) {
      if (error instanceof FolderTrouble && error.errno === 'ENOENT') await far(stat(top), signal).catch(missing);
      throw error;
    }
  }

  /** Writes beside the place and moves it there, whatever is there or only where nothing is. */
  async function place(
    name: string,
    write: (temporary: string) => Promise<number>,
    { replace, signal }: { readonly replace: boolean; readonly signal: AbortSignal },
  ): Promise<'written' | 'there'> {
    counted();
    const path = pathOf(name);
    const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
    try {
      await far(stat(top), signal).catch(missing);
      await far(makeFolders(dirname(path)), signal);
      traffic.sentBytes += await write(temporary);
      if (replace) await far(rename(temporary, path), signal);
      else if (!(await linked(temporary, path, signal))) return 'there';
      return 'written';
    } finally {
      await within(rm(temporary, { force: true }), idleMs, new AbortController().signal).catch(() => {});
    }
  }

  async function linked(temporary: string, path: string, signal: AbortSignal): Promise<boolean> {
    try {
      await far(link(temporary, path), signal);
      return true;
    } catch (error) {
      const { errno } = error as FolderTrouble;
      if (errno === 'EEXIST') return false;
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errno)) throw error;
      // A file system without hard links: the last complete writer wins, and all of them write what is equally good.
      if ((await far(stat(path), signal).catch(() => undefined)) !== undefined) return false;
      await far(rename(temporary, path), signal);
      return true;
    }
  }

  /** Names of all that is no folder, finished or not. @param folder Ends with a slash, or is empty. */
  async function* filesBelow(folder: string, signal: AbortSignal): AsyncGenerator<string> {
    for (const entry of await far(entriesOf(join(top, folder)), signal)) {
      if (entry.isDirectory()) yield* filesBelow(`${folder}${entry.name}/`, signal);
      else yield `${folder}${entry.name}`;
    }
  }

  return {
    traffic,
    async getSmall(name, limitBytes, signal) {
      const bytes = await read(async () => {
        if ((await sizeOf(pathOf(name))) > limitBytes) throw new Damaged(`it has more than ${limitBytes} bytes`);
        return readFile(pathOf(name));
      }, signal);
      traffic.receivedBytes += bytes.length;
      return bytes;
    },
    async getFile(name, into, { signal, ...checks }) {
      const size = await read(() => sizeOf(pathOf(name)), signal);
      const file = createReadStream(pathOf(name)).on('error', () => {});
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* arriving(file as AsyncIterable<Uint8Array>, { idleMs, signal, traffic });
        } catch (error) {
          throw troubleOf(error, signal);
        }
      };
      try {
        return await landObject(Readable.from(bytes()), into, size, checks);
      } finally {
        file.destroy();
      }
    },
    async stat(name, signal) {
      try {
        const { size, mtimeMs } = await read(() => stat(pathOf(name)), signal);
        return { sizeBytes: size, modifiedMs: mtimeMs };
      } catch (error) {
        if (error instanceof FolderTrouble && error.errno === 'ENOENT') return undefined;
        throw error;
      }
    },
    async list(prefix, { after = '', signal }) {
      counted();
      await far(stat(top), signal).catch(missing);
      const found: ListedObject[] = [];
      for await (const name of filesBelow(prefix.slice(0, prefix.lastIndexOf('/') + 1), signal)) {
        if (!name.startsWith(prefix) || name <= after || isHidden(name)) continue;
        const { size, mtimeMs } = await far(stat(pathOf(name)), signal);
        found.push({ name, sizeBytes: size, modifiedMs: mtimeMs });
      }
      return { objects: found.sort((a, b) => (a.name < b.name ? -1 : 1)), more: false };
    },
    putSmall: (name, bytes, options) =>
      place(
        name,
        async (temporary) => {
          await far(writeFile(temporary, bytes, { flag: 'wx', flush: true }), options.signal);
          return bytes.length;
        },
        options,
      ),
    putFile: (name, file, { digest, ...options }) =>
      place(
        name,
        async (temporary) => {
          // Bounded as a whole by the caller, since it takes as long as it is big.
          const copying = within(copyHashed(file, temporary), longestTimer, options.signal);
          const found = await copying.catch((error: unknown) => {
            throw troubleOf(error, options.signal);
          });
          if (found !== digest) throw new Damaged(`its SHA-256 arrived as ${found}, sent was ${digest}`);
          return (await far(stat(temporary), options.signal)).size;
        },
        options,
      ),
    async renew(name, signal) {
      counted();
      const now = new Date();
      try {
        await far(utimes(pathOf(name), now, now), signal);
      } catch (error) {
        // Only its owner may set the time of a file; a copy in its place is as new.
        if (!(error instanceof FolderTrouble) || error.errno !== 'EPERM') throw error;
        const copy = async (temporary: string): Promise<number> => {
          await far(copyFile(pathOf(name), temporary), signal);
          return 0;
        };
        await place(name, copy, { replace: true, signal });
      }
    },
    async dropUnfinished(prefix, beforeMs, signal) {
      counted();
      let dropped = 0;
      for await (const name of filesBelow(prefix, signal)) {
        if (!isUnfinished(name)) continue;
        // Whoever writes it may come to the end meanwhile.
        const found = await far(
          lstat(pathOf(name)).catch(() => undefined),
          signal,
        );
        if (found === undefined || found.mtimeMs >= beforeMs) continue;
        await far(rm(pathOf(name), { force: true }), signal);
        dropped += 1;
      }
      return dropped;
    },
    async remove(name, signal) {
      counted();
      await far(rm(pathOf(name), { force: true }), signal);
    },
  };
}

const isHidden = (name: string): boolean => /(^|\/)\./.test(name);

/** Whether a name is one under which something is being written, or was by somebody who did not get to the end of it. */
const isUnfinished = (name: string): boolean => /(^|\/)\.[^/]+\.tmp$/.test(name);

/** In milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** Of a plain file: opening anything else may wait for good. @throws {Damaged} */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isFile()) throw new Damaged('it is not a file');
  return found.size;
}

async function entriesOf(folder: string): Promise<Awaited<ReturnType<typeof readEntries>>> {
  try {
    return await readEntries(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const readEntries = (folder: string) => readdir(folder, { withFileTypes: true });

/** The folder itself is not there, which is no answer about what would lie in it. */
function missing(error: unknown): never {
  throw error instanceof FolderTrouble && error.errno === 'ENOENT' ? new FolderTrouble('ENOTCONN', error) : error;
}

function troubleOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof Stalled) noteStuck();
  if (signal.aborted) return signal.reason;
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof FolderTrouble || typeof code !== 'string' ? error : new FolderTrouble(code, error);
}

/** With all above it. On a read-only file system Node's own recursive way says that nothing is there. */
async function makeFolders(path: string): Promise<void> {
  const make = (): Promise<unknown> =>
    mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await makeFolders(dirname(path));
    await make();
  });
}
