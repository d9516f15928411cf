/** What must become of one installed file so that it works in any prefix (pure). */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type Elf, readElf } from './elf.ts';
import { type BuildPlaces, inPrefix, leadsOut, PREFIX_TOKEN, replaceBytes } from './places.ts';
import type { Problem } from './problem.ts';
import { runPathVerdict } from './run-path.ts';

export type FileVerdict =
  | { readonly do: 'keep'; readonly elf?: Elf }
  /** Left out of the artifact. */
  | { readonly do: 'drop'; readonly why: string }
  | { readonly do: 'rewrite'; readonly bytes: Buffer; readonly mentionsPrefix: boolean }
  /** The new run path has no room where the old one lies; `patchelf` has to make some. */
  | { readonly do: 'patchelf'; readonly runPath: string; readonly tag: 'RPATH' | 'RUNPATH' }
  | { readonly do: 'refuse'; readonly problems: readonly Problem[] };

const token = Buffer.from(PREFIX_TOKEN);

/**
 * @param path  Relative to the prefix.
 * @param bytes The file as staged, stripped if it is to be.
 */
export function fileVerdict(path: string, bytes: Buffer, places: BuildPlaces): FileVerdict {
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
  if (reading.kind === 'elf') return elfVerdict(path, bytes, reading.elf, places);
  return bytes.includes(0) ? binaryVerdict(path, bytes, places) : textVerdict(path, bytes, places);
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

function elfVerdict(path: string, bytes: Buffer, elf: Elf, places: BuildPlaces): FileVerdict {
  const rewritten = Buffer.from(bytes);
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
    rewritten.fill(0, runPath.offset, runPath.offset + runPath.freeBytes).write(value, runPath.offset);
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
  sealBuildId(rewritten, elf);
  const left = leftOver(path, rewritten, places);
  if (left) return refusal(left);
  return rewritten.equals(bytes) ? { do: 'keep', elf } : { do: 'rewrite', bytes: rewritten, mentionsPrefix: false };
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
  return left ? refusal(left) : { do: 'rewrite', bytes: rewritten, mentionsPrefix: true };
}

function binaryVerdict(path: string, bytes: Buffer, places: BuildPlaces): FileVerdict {
  const left = leftOver(path, bytes, places) ?? leftOver(path, decompressed(bytes), places, ' of the unpacked content');
  return left ? refusal(left) : { do: 'keep' };
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
    mend: 'keep the path out of the file with a patch or a recipe flag, or list the file in `remove`',
  };
}

const refusal = (...problems: readonly (Problem | undefined)[]): FileVerdict => ({
  do: 'refuse',
  problems: problems.filter((one) => one !== undefined),
});
