/** Upstreams for tests: archives by real tools and by hand, and the context in which a source kind is asked. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '../../src/model/digest.ts';
import type { BuildEvent } from '../../src/model/event.ts';
import type { FetchTarget, SourceContext } from '../../src/sources/source.ts';
import { blobStore } from '../../src/system/blob-store.ts';
import { acquireLock } from '../../src/system/lock.ts';
import { type Tree, writeTree } from './temp.ts';

/** One member of a hand-made tar; every field is written as it is, sound or not. */
export interface RawMember {
  readonly name: string | Uint8Array;
  /** The type flag; `0`, a file, when not given. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly link?: string | Uint8Array;
  readonly mode?: number;
  /** Stated size, where it is not that of the content. */
  readonly size?: number;
}

/** A tar archive in ustar form, by hand; `end: false` leaves out the two blocks of zeros. */
export function rawTar(members: readonly RawMember[], { end = true } = {}): Buffer {
  return Buffer.concat([...members.flatMap(rawMember), ...(end ? [Buffer.alloc(1024)] : [])]);
}

function rawMember({ name, type = '0', content = '', link = '', mode = 0o644, size }: RawMember): Buffer[] {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  Buffer.from(name).copy(header, 0, 0, 100);
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100, 'latin1');
  header.write('0000000\0'.repeat(2), 108, 'latin1');
  const stated = size ?? bytes.length;
  if (stated < 8 ** 11) header.write(`${stated.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  else {
    // As GNU tar writes what has no room in octal digits.
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(stated), 128);
  }
  header.write('00000000000\0', 136, 'latin1');
  header.write(' '.repeat(8), 148, 'latin1');
  header.write(type, 156, 'latin1');
  Buffer.from(link).copy(header, 157, 0, 100);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}

/** A pax header for the member that follows. */
export function rawPax(records: Readonly<Record<string, string>>): RawMember {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length += 1;
    return `${length} ${key}=${value}\n`;
  });
  return { name: 'PaxHeader/x', type: 'x', content: content.join('') };
}

export type Compression = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd' | 'lzip';

/** Packs a folder's content with GNU tar, under one top folder. @returns the archive's absolute path. */
export function packWithTar(
  folder: string,
  archive: string,
  options: { readonly compression?: Compression; readonly format?: string } = {},
): string {
  const { compression = 'gzip', format = 'gnu' } = options;
  const by = compression === 'none' ? [] : [`--use-compress-program=${compression}`];
  const fixed = ['--sort=name', '--owner=7', '--group=7', '--numeric-owner', '--mtime=@0'];
  mkdirSync(dirname(archive), { recursive: true });
  execFileSync('tar', [
    '-c',
    `--format=${format}`,
    ...by,
    ...fixed,
    '-f',
    archive,
    '--transform=flags=rh;s,^\\.,upstream-1.0,',
    '-C',
    folder,
    '.',
  ]);
  return archive;
}

/** Writes a tree and packs it as `upstream-1.0`. @returns the archive's absolute path. */
export function upstreamTarball(top: string, tree: Tree, name = 'upstream-1.0.tar.gz'): string {
  const folder = join(top, `${name}.tree`);
  writeTree(folder, tree);
  return packWithTar(folder, join(top, name));
}

export interface TestContext extends SourceContext {
  readonly events: BuildEvent[];
}

/** A context with its own blob store and state below `top`. */
export function sourceContext(top: string, changes: Partial<SourceContext> = {}): TestContext {
  const events: BuildEvent[] = [];
  const blobs = blobStore(join(top, 'blobs'));
  const state = join(top, 'state');
  mkdirSync(state, { recursive: true });
  return {
    package: 'upstream@1.0',
    version: '1.0',
    buildfileFolder: top,
    blobs,
    findBlob: (digest) => blobs.find(digest),
    alone: (_name, work) => work({ leave: () => {} }),
    mirrors: [],
    state,
    environment: { PATH: process.env['PATH'], HOME: join(top, 'home') },
    offline: false,
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
    events,
    ...changes,
  };
}

/**
 * Contexts of two projects with one store, whose turns are real locks. Neither begins what it does alone before the other one wants the
 * same.
 */
export function twoContexts(top: string, one: SourceContext): [SourceContext, SourceContext] {
  const wanted = new Map<string, PromiseWithResolvers<void>>();
  const alone: SourceContext['alone'] = async (name, work) => {
    const first = wanted.get(name);
    if (first === undefined) wanted.set(name, Promise.withResolvers());
    else first.resolve();
    await wanted.get(name)?.promise;
    await using lock = await acquireLock(join(top, 'locks', digestOf(name)), { removed: true });
    return await work(lock);
  };
  const state = join(top, 'other/state');
  mkdirSync(state, { recursive: true });
  return [
    { ...one, alone },
    { ...one, alone, state },
  ];
}

/** Two empty folders to fetch into. */
export function fetchTarget(top: string, name = 'target'): FetchTarget {
  const target = { tree: join(top, name, 'tree'), series: join(top, name, 'series') };
  mkdirSync(target.tree, { recursive: true });
  mkdirSync(target.series, { recursive: true });
  return target;
}
