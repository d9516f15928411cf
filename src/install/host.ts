/** Whether an artifact fits this host, told from its manifest alone, before anything of it is fetched. */
import { compareVersions } from '../artifact/libraries.ts';
import type { Manifest } from '../artifact/manifest.ts';

export interface Host {
  /** Version of the C library, such as `2.36`; undefined when it cannot be told. */
  readonly glibc: string | undefined;
}

/** What this host offers. */
export function thisHost(): Host {
  // Without this the report looks up names of network interfaces, which takes time; the typings do not know it yet.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: unknown } };
  const glibc = report.header?.glibcVersionRuntime;
  return { glibc: typeof glibc === 'string' ? glibc : undefined };
}

/** Why an artifact cannot run here, one clause each; none when it fits (pure). */
export function unfitReasons({ needs }: Pick<Manifest, 'needs'>, { glibc }: Host): string[] {
  const wanted = needs.symbolVersions['GLIBC'];
  if (wanted === undefined || glibc === undefined || compareVersions(wanted, glibc) <= 0) return [];
  return [`it needs glibc ${wanted}, this host has ${glibc}`];
}
