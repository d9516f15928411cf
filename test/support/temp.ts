/** Folders and files for one test, gone when it ends. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The part of a test's context that fixtures use. */
export interface WithCleanUp {
  after(callback: () => void | Promise<void>): void;
}

/** An empty folder of the test's own; absolute, free of symlinks. Read-only folders in it are no obstacle to its removal. */
export function tempDir(t: WithCleanUp, label = 'test'): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `${label}-`)));
  t.after(() => removeTree(path));
  return path;
}

/** File contents by path; `{ text, mode }` where the mode matters. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly text: string; readonly mode: number }>>;

/** Writes files below `top`, their folders included; an existing file is replaced. */
export function writeTree(top: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    const full = join(top, path);
    mkdirSync(dirname(full), { recursive: true });
    const { text, mode } =
      typeof content === 'string' || content instanceof Uint8Array ? { text: content, mode: 0o644 } : content;
    writeFileSync(full, text);
    chmodSync(full, mode);
  }
}

export function removeTree(path: string): void {
  makeWritable(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

function makeWritable(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  chmodSync(path, 0o755);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(path, entry.name));
  }
}
