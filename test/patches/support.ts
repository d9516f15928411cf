/** What the patch tests share: a tree and patches on disk, one call that applies them, and the error it must end with. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VbuildError } from '../../src/model/error.ts';
import { applySeries, type PatchReport } from '../../src/patches/apply-series.ts';
import type { Dialect } from '../../src/patches/patch-spec.ts';
import { readBytes, walk } from '../../src/system/files.ts';
import { tempDir, type Tree, type WithCleanUp, writeTree } from '../support/temp.ts';

export interface Lab {
  /** Absolute. */
  readonly tree: string;
  readonly folder: string;
  readonly apply: (
    patches: readonly (string | Uint8Array)[],
    options?: { readonly strip?: number; readonly dialect?: Dialect },
  ) => Promise<PatchReport[]>;
  /** The error that applying must end with; the tree must then be as before. */
  readonly refuses: (
    patches: readonly string[],
    options?: { readonly strip?: number; readonly dialect?: Dialect },
  ) => Promise<VbuildError>;
  /** Files by path with latin1 text, `*` behind the path of an executable one; symlinks as `-> target`. */
  readonly files: () => Record<string, string>;
}

export function lab(t: WithCleanUp, start: Tree): Lab {
  const folder = tempDir(t, 'patches');
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  writeTree(tree, start);
  const files = (): Record<string, string> =>
    Object.fromEntries(
      walk(tree)
        .filter(({ type }) => type !== 'directory')
        .map(({ path, type, mode, target }) =>
          type === 'symlink'
            ? [path, `-> ${target}`]
            : [mode & 0o100 ? `${path}*` : path, readBytes(join(tree, path)).toString('latin1')],
        ),
    );
  const apply: Lab['apply'] = (patches, { strip = 1, dialect = 'strict' } = {}) => {
    writeTree(folder, Object.fromEntries(patches.map((text, i) => [`${i}.patch`, text])));
    return applySeries({
      tree,
      patches: patches.map((_text, i) => ({ name: `${i}.patch`, path: join(folder, `${i}.patch`), strip })),
      dialect,
    });
  };
  return {
    tree,
    folder,
    apply,
    files,
    async refuses(patches, options) {
      const before = files();
      const error: unknown = await apply(patches, options).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert(error instanceof VbuildError, `should be refused, but: ${String(error)}`);
      assert.deepEqual(files(), before, 'a refused series must leave the tree as it was');
      return error;
    },
  };
}

/** Joins lines, each with a line end. */
export const lines = (...text: readonly string[]): string => text.map((line) => `${line}\n`).join('');
