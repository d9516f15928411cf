/** The program that is running, be it a checkout, an installed package or one file: what it consists of, and a second one to parse with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { walk } from './files.ts';

/** The folder with all code; where vbuild is one file there is none. */
const code = join(import.meta.dirname, '..');

/** The files, by absolute path, that make it this program and no other. */
export const ownFiles = (): readonly string[] =>
  isSea() ? [process.execPath] : walk(code).map(({ path }) => join(code, path));

/** TypeScript declarations of all that a Buildfile may import. */
export const ownTypings = (): string =>
  isSea() ? getAsset('typings/vbuild.d.ts', 'utf8') : readFileSync(join(code, '../typings/vbuild.d.ts'), 'utf8');

/** A command that parses the module on its stdin, runs none of it, and names the line of a syntax error: `[stdin]:LINE`. */
export const parser = (): { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> } =>
  isSea()
    ? { argv: [process.execPath], env: { VBUILD_PARSE: '1' } }
    : { argv: [process.execPath, '--check', '--input-type=module', '-'], env: {} };
