/** What a packed tree wants from a host beyond libraries: programs that run its programs, and a processor that can (pure). */
import type { ElfFile } from './libraries.ts';
import type { Manifest } from './manifest.ts';
import { PREFIX_TOKEN } from './places.ts';

/**
 * @param files The ELF files of the tree.
 * @param heads The interpreter lines of its scripts, as packed.
 * @param paths Every file and symlink of the tree, relative to the prefix.
 */
export function hostNeeds(
  files: readonly ElfFile[],
  heads: readonly string[],
  paths: ReadonlySet<string>,
): Pick<Manifest['needs'], 'interpreters' | 'cpu'> {
  const loaders = files.flatMap(({ elf }) => elf.interpreter ?? []);
  const scripts = heads.flatMap((line) => {
    const program = /^#! *(\/\S+)/.exec(line)?.[1];
    // What is looked for on the PATH, or lies in the prefix, is not for the host to have at a fixed place.
    return program === undefined || program.startsWith(PREFIX_TOKEN) || program.endsWith('/env') ? [] : [program];
  });
  // Modules in such a folder are found by that Python alone, and compiled ones fit no other.
  const pythons = [...paths].flatMap((path) => /^lib\/(python3\.\d+)\//.exec(path)?.[1] ?? []);
  const interpreters = [...new Set([...loaders, ...scripts, ...pythons])].sort();
  const level = Math.max(0, ...files.map(({ elf }) => elf.cpuLevel ?? 0));
  return {
    ...(interpreters.length > 0 && { interpreters }),
    ...(level > 0 && { cpu: `x86-64-v${level}` }),
  };
}
