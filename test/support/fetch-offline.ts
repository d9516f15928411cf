/** A process that fetches a source offline, once where it was fetched before and once where it was not; a tracer watches it from outside. */
import { VbuildError } from '../../src/model/error.ts';
import { type SourceSpec, sourceKind } from '../../src/sources/index.ts';
import type { Pin } from '../../src/sources/source.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { fetchTarget, sourceContext } from './upstream.ts';

export interface OfflineJob {
  readonly spec: SourceSpec;
  readonly pin: Pin;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly buildfileFolder: string;
  /** As for `sourceContext`: where it was fetched before, and a new one. */
  readonly known: string;
  readonly unknown: string;
}

/** What the process prints, as JSON: digests of trees, or codes of errors. */
export interface OfflineOutcome {
  readonly known: string;
  readonly unknown: string;
  readonly resolved: string;
}

if (import.meta.main) {
  const { spec, pin, environment, buildfileFolder, known, unknown } = JSON.parse(process.argv[2] ?? '') as OfflineJob;
  const kind = sourceKind(spec);
  const outcome = (work: Promise<string>): Promise<string> =>
    work.catch((error: unknown) => (error instanceof VbuildError ? error.code : String(error)));
  const contextAt = (top: string) => sourceContext(top, { environment, buildfileFolder, offline: true });
  const fetchedAt = async (top: string): Promise<string> => {
    const target = fetchTarget(top, 'offline');
    await kind.fetch(spec, pin, target, contextAt(top));
    return treeDigest(target.tree);
  };
  const result: OfflineOutcome = {
    known: await outcome(fetchedAt(known)),
    unknown: await outcome(fetchedAt(unknown)),
    resolved: await outcome(kind.resolve(spec, contextAt(unknown)).then(() => 'resolved')),
  };
  process.stdout.write(JSON.stringify(result));
}
