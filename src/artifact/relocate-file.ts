/** What must become of one installed file so that it works in any prefix (pure). */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type Elf, readElf } from './elf.ts';
import type { PrefixUse } from './manifest.ts';
import {
  type BuildPlaces,
  filledUp,
  inPrefix,
  interpreterLine,
  leadsOut,
  placesOf,
  PREFIX_TOKEN,
  replaceBytes,
} from './places.ts';
import type { Problem } from './problem.ts';
import { runPathVerdict } from './run-path.ts';

export type FileVerdict =
  | { readonly do: 'keep'; readonly elf?: Elf }
  /** Left out of the artifact. */
  | { readonly do: 'drop'; readonly why: string }
  | { readonly do: 'rewrite'; readonly bytes: Buffer; readonly prefix: PrefixUse }
  /** The new run path has no room where the old one lies; `patchelf` has to make some. */
  | { readonly do: 'patchelf'; readonly runPath: string; readonly tag: 'RPATH' | 'RUNPATH' }
  | { readonly do: 'refuse'; readonly problems: readonly Problem[] };

const token = Buffer.from(PREFIX_TOKEN);

/**
 * @param path  Relative to the prefix.
 * @param bytes The file as staged, stripped if it is to be.
 * @param holdsPrefix Whether its author says that a binary file uses a prefix compiled into it as the beginning of paths alone.
 */
export function fileVerdict(path: string, bytes: Buffer, places: BuildPlaces, holdsPrefix = false): FileVerdict {
  const why = uselessElsewhere(path, bytes);
  if (why !== undefined) return { do: 'drop', why };
  if (bytes.toString('latin1', 0, 8) === '!<thin>\n') {
    const mend = 'make it without the T flag of ar, or list it in `remove`';
    return refusal({
      headline: 'Archive only names its members',
      file: path,
      facts: { found: 'a thin archive' },
      mend,
    });
  }
  const reading = readElf(bytes);
  if (reading.kind === 'elf') return elfVerdict(path, bytes, reading.elf, places, holdsPrefix);
  return bytes.includes(0) ? binaryVerdict(path, bytes, places, holdsPrefix) : textVerdict(path, bytes, places);
}

/** Where a symlink must point so that it works in any prefix. Only its text is looked at: what it names may belong to a dependency. */
export function symlinkVerdict(
  path: string,
  target: string,
  places: BuildPlaces,
): { readonly target: string } | { readonly problem: Problem } {
  const folder = posix.dirname(path);
  const inside = posix.isAbsolute(target) ? inPrefix(places, target) : posix.join(folder, target);
  if (inside === undefined || leadsOut(inside)) {
    const mend = 'make the link relative to a file of the prefix in the recipe, or list it in `remove`';
    return {
      problem: { headline: 'Symbolic link leads out of the prefix', file: path, facts: { found: target }, mend },
    };
  }
  return { target: posix.isAbsolute(target) ? posix.relative(`/${folder}`, `/${inside}`) || '.' : target };
}

/** Files that name the place or the moment they were made in, and that nothing needs elsewhere. */
function uselessElsewhere(path: string, bytes: Buffer): string | undefined {
  if (path.endsWith('.la') && bytes.toString('latin1', 0, 400).includes('libtool library file'))
    return 'libtool archive';
  // Packed files have another time than the one inside, so Python would write the file anew beside a running program.
  if (path.endsWith('.pyc') && bytes.length >= 8 && (bytes.readUInt32LE(4) & 1) === 0)
    return 'Python bytecode bound to a file time';
  // Every package with manuals installs its own index of all manuals.
  if (path === 'share/info/dir') return 'index of the info pages of one package alone';
  return undefined;
}

function elfVerdict(path: string, bytes: Buffer, elf: Elf, places: BuildPlaces, holdsPrefix: boolean): FileVerdict {
  const relative = Buffer.from(bytes);
  for (const runPath of elf.runPaths) {
    const { value, refused } = runPathVerdict(runPath.value, path, places);
    if (refused.length > 0) {
      const facts = { expected: 'folders of the prefix', found: refused.join(', ') };
      return refusal({
        headline: 'Run path leads out of the prefix',
        file: path,
        facts,
        mend: 'take the folder out of the link flags of the recipe',
      });
    }
    if (value === runPath.value) continue;
    if (Buffer.byteLength(value) + 1 > runPath.freeBytes) return { do: 'patchelf', runPath: value, tag: runPath.tag };
    relative.fill(0, runPath.offset, runPath.offset + runPath.freeBytes).write(value, runPath.offset);
  }
  const slashed = elf.needed.filter((name) => name.includes('/'));
  if (slashed.length > 0) {
    const mend = 'give the library a SONAME, or link with -L and -l instead of its path';
    return refusal({
      headline: 'Library is asked for by its path',
      file: path,
      facts: { found: slashed.join(', ') },
      mend,
    });
  }
  const held = holdsPrefix ? withPlaceholders(path, relative, places) : { bytes: relative };
  if ('problem' in held) return refusal(held.problem);
  const { bytes: rewritten, prefix = { as: 'run-path' } } = held;
  sealBuildId(rewritten, elf);
  const left = leftOver(path, rewritten, places);
  if (left) return refusal(left);
  return rewritten.equals(bytes) ? { do: 'keep', elf } : { do: 'rewrite', bytes: rewritten, prefix };
}

/**
 * Puts a placeholder of the same length where a binary file holds the prefix, so that lengths and offsets stay what the file takes them
 * for. Where no slash follows it is refused: a linker lets a shorter string share the end of a longer one, and so bytes that would change.
 */
function withPlaceholders(
  path: string,
  bytes: Buffer,
  { prefix }: BuildPlaces,
): { readonly bytes: Buffer; readonly prefix?: PrefixUse } | { readonly problem: Problem } {
  const sought = Buffer.from(prefix);
  const offsets = placesOf(bytes, sought);
  const bare = offsets.find((at) => bytes[at + sought.length] !== 0x2f);
  if (bare !== undefined) {
    const facts = { at: `byte ${bare}`, expected: '@prefix@/…', found: 'a prefix without a slash behind it' };
    const mend =
      'configure it with @prefix@/. in place of @prefix@, so that no other string can share the end of this one';
    return { problem: { headline: 'Compiled-in prefix cannot be moved', file: path, facts, mend } };
  }
  if (offsets.length === 0) return { bytes };
  const roomBytes = sought.length;
  const placeholder = filledUp(PREFIX_TOKEN, roomBytes);
  return { bytes: replaceBytes(bytes, sought, placeholder), prefix: { as: 'string', roomBytes, offsets } };
}

/**
 * Computes the build id anew over the file as it is packed. The linker's is a digest of the file with the build's own paths in it,
 * the one trace of the build folder that rewriting run paths does not remove.
 */
function sealBuildId(bytes: Buffer, { buildId }: Elf): void {
  if (buildId === undefined) return;
  const { offset, sizeBytes } = buildId;
  bytes.fill(0, offset, offset + sizeBytes);
  createHash('sha512').update(bytes).digest().copy(bytes, offset, 0, sizeBytes);
}

function textVerdict(path: string, bytes: Buffer, places: BuildPlaces): FileVerdict {
  if (bytes.includes(token)) {
    const facts = { found: `${PREFIX_TOKEN} at byte ${bytes.indexOf(token)}` };
    return refusal({
      headline: 'File already holds the token for the prefix',
      file: path,
      facts,
      mend: 'list the file in `remove`, or patch the text',
    });
  }
  const prefix = Buffer.from(places.prefix);
  if (!bytes.includes(prefix))
    return leftOver(path, bytes, places) ? refusal(leftOver(path, bytes, places)) : { do: 'keep' };
  const rewritten = replaceBytes(bytes, prefix, token, /[\w-]/);
  const left = leftOver(path, rewritten, places);
  if (left) return refusal(left);
  const line = interpreterLine(rewritten);
  const interpreterLineBytes = line && line.length - token.length;
  const use = { as: 'text', ...(interpreterLineBytes !== undefined && { interpreterLineBytes }) } as const;
  return { do: 'rewrite', bytes: rewritten, prefix: use };
}

function binaryVerdict(path: string, bytes: Buffer, places: BuildPlaces, holdsPrefix: boolean): FileVerdict {
  const held = holdsPrefix ? withPlaceholders(path, bytes, places) : { bytes };
  if ('problem' in held) return refusal(held.problem);
  const left =
    leftOver(path, held.bytes, places) ?? leftOver(path, decompressed(held.bytes), places, ' of the unpacked content');
  if (left) return refusal(left);
  return held.prefix === undefined ? { do: 'keep' } : { do: 'rewrite', bytes: held.bytes, prefix: held.prefix };
}

/** The content of a gzip or zstd file; empty when the bytes are neither. */
function decompressed(bytes: Buffer): Buffer {
  const magic = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  try {
    if (magic >>> 16 === 0x1f8b) return gunzipSync(bytes);
    if (magic === 0x28b52ffd) return zstdDecompressSync(bytes);
  } catch {
    // Only begins like one; its own bytes were looked at already.
  }
  return Buffer.alloc(0);
}

/**
 * The first place where a file still names the build root, and with it the build prefix, the stage or the tree; steps in a namespace
 * can still learn the path that it has outside, from the kernel's list of mounts if from nowhere else.
 */
function leftOver(path: string, bytes: Buffer, places: BuildPlaces, of = ''): Problem | undefined {
  const inside = bytes.indexOf(places.root);
  const at = inside < 0 ? bytes.indexOf(places.host) : inside;
  if (at < 0) return undefined;
  const text = /^[\x20-\x7e\x80-\xff]*/.exec(bytes.toString('latin1', at, at + 1024))?.[0] ?? '';
  const shown = Buffer.from(text, 'latin1')
    .toString()
    .replaceAll(places.stage, '@stage@')
    .replaceAll(places.prefix, '@prefix@')
    .replaceAll(`${places.root}/tree`, '@tree@')
    .replaceAll(places.root, '@root@');
  const line = bytes.subarray(0, at).toString('latin1').split('\n').length;
  const where = bytes.includes(0) ? `byte ${at}${of}` : `line ${line}, byte ${at}${of}`;
  return {
    headline: 'File holds a path of its build',
    file: path,
    facts: { at: where, found: shown.slice(0, 200) },
    mend: bytes.includes(0)
      ? 'keep the path out of the file with a patch or a recipe flag, list the file in `remove`, or in `prefixInBinaries` if it is the prefix and only begins paths'
      : 'keep the path out of the file with a patch or a recipe flag, or list the file in `remove`',
  };
}

const refusal = (...problems: readonly (Problem | undefined)[]): FileVerdict => ({
  do: 'refuse',
  problems: problems.filter((one) => one !== undefined),
});
