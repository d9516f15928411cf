/** Applies a series of patches to a tree: all of them, or the tree stays as it was. */
import { VbuildError } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { fileStat, readBytes } from '../system/files.ts';
import { applyPatch, type FileChange } from './apply-patch.ts';
import { insistAsDpkg } from './dpkg-headers.ts';
import { parsePatch } from './parse.ts';
import type { Dialect, SeriesPatch } from './patch-spec.ts';
import { same, treeView } from './tree-view.ts';

/** What one patch did. */
export interface PatchReport {
  /** As in the series. */
  readonly name: string;
  /** In the order of the patch; a file that two sections change stands there twice. */
  readonly files: readonly FileChange[];
  /** Paths in the tree, sorted, from which autotools make `configure` and `Makefile.in`: a change there asks for `autoreconf`. */
  readonly touchesBuildSystem: readonly string[];
}

interface ApplyRequest {
  /** Absolute path of the tree; no other program may change it meanwhile. */
  readonly tree: string;
  /** Applied in this order, each on what the one before left. */
  readonly patches: readonly SeriesPatch[];
  readonly dialect: Dialect;
  /** Told of patches that land away from their stated lines, in the strict dialect. */
  readonly emit?: Emit;
  /** Absolute path of a folder that gets each file which the series changes, as it was; made when there is such a file. */
  readonly originals?: string;
  /** Whether the tree is somebody's own, so that what a kill leaves of the series has to be taken back by the next `takeBackCutOff`. */
  readonly journaled?: boolean;
}

/**
 * Works out all results in memory, then writes each changed file as a new one in the old one's place. No backup and reject files are
 * left; folders that become empty go.
 *
 * @returns One report for each patch, in order.
 * @throws {VbuildError} with the patch and the line in it: `patch-rejected` when it does not fit, `patch-no-change` when it does nothing,
 *   `patch-malformed` when it cannot be read, `patch-unsupported` for what vbuild cannot apply, `patch-unsafe` for what it will not,
 *   `patch-missing` when the file is gone. The tree is then as it was.
 */
export async function applySeries(request: ApplyRequest): Promise<PatchReport[]> {
  const { tree, patches, dialect, emit, originals, journaled } = request;
  const view = treeView(tree);
  const reports: PatchReport[] = [];
  for (const { name, path: file, strip } of patches) {
    const text = readPatch(file);
    const sections = parsePatch(text, file, dialect);
    // It knows no other strip level.
    if (dialect === 'dpkg' && strip === 1) insistAsDpkg(text, file);
    const before = view.snapshot();
    const patch = { file, sections, strip, dialect };
    const { files, rejections } = applyPatch(view, patch);
    if (rejections.length > 0) {
      // The report needs the `diff` package, which a patch that applies does not.
      const { rejectionError } = await import('./rejection.ts');
      throw rejectionError(patch, rejections, before);
    }
    const paths = files.flatMap(({ path, from }) => (from === undefined ? [path] : [path, from]));
    const changes = paths.some((path) => !same(before.read(path), view.read(path)));
    if (!changes && (dialect === 'strict' || (sections.length === 0 && fileStat(file)?.sizeBytes !== 0)))
      throw noChange(file, sections.length);
    if (view.sizeBytes() > mostBytes) throw tooLarge(file, 'the patched files would take more than 2 GiB');
    if (dialect === 'strict') reportOffsets(name, files, emit);
    reports.push({ name, files, touchesBuildSystem: [...new Set(paths.filter(isBuildSystem))].sort() });
  }
  if (originals !== undefined) view.writeOriginals(originals);
  view.write(journaled);
  return reports;
}

const mostBytes = 2 * 1024 ** 3;
const mostPatchBytes = 128 * 1024 ** 2;

function readPatch(file: string): string {
  const stat = fileStat(file);
  if (stat === undefined) {
    throw new VbuildError('patch-missing', 'Patch is not there', {
      where: { file },
      mend: 'put the file back, or take it out of the series',
    });
  }
  if (stat.sizeBytes > mostPatchBytes) throw tooLarge(file, `${stat.sizeBytes} bytes`);
  return readBytes(file).toString('latin1');
}

const tooLarge = (file: string, found: string): VbuildError =>
  new VbuildError('patch-unsupported', 'Patch is too large', {
    where: { file },
    facts: { found },
    mend: 'split the patch, or add the files in a step of the recipe',
  });

const noChange = (file: string, sections: number): VbuildError =>
  new VbuildError('patch-no-change', 'Patch changes nothing', {
    where: { file },
    facts: {
      expected: 'a change to at least one file',
      found: sections === 0 ? 'text without a unified diff' : 'files that already are as the patch makes them',
    },
    mend:
      sections === 0
        ? 'make the patch with `git diff` or `diff -u`, or take it out of the series'
        : 'take the patch out of the series',
  });

/** Of each hunk that landed away from its stated line: the file, its line there, and how far below that is. */
export const offsetsIn = (files: readonly FileChange[]): string[] =>
  files.flatMap(({ path, hunks }) =>
    hunks
      .filter(({ offset }) => offset !== 0)
      .map(({ line, offset }) => `${path}:${line} (${offset > 0 ? '+' : ''}${offset})`),
  );

function reportOffsets(patch: string, files: readonly FileChange[], emit: Emit | undefined): void {
  const moved = offsetsIn(files);
  if (moved.length === 0) return;
  emit?.({
    type: 'notice',
    level: 'info',
    code: 'patch-offset',
    headline: 'Patch fits, away from its stated lines',
    facts: { patch, lines: moved.join(', ') },
  });
}

const isBuildSystem = (path: string): boolean => /(^|\/)(configure\.(ac|in)|Makefile\.am|[^/]+\.m4)$/.test(path);
