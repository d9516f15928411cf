/** Gives a prefix a new generation and tells of it: the same for what was built and for what is only restored. */
import { type Mixed, mixedAmong } from '../artifact/mixed.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { notedPrefixes } from '../cache/disk-content.ts';
import type { GenerationRecord, Generation } from '../install/generations.ts';
import { install, type InstallRequest } from '../install/install.ts';
import type { Emit, Reason } from '../model/event.ts';
import { prefixNotices } from './prefix-notices.ts';
import { reportShadowed } from './shadowed.ts';
import type { Run } from './run.ts';

interface NewContent {
  /** Absolute path of the prefix. */
  readonly prefix: string;
  /** What was asked for, as people name it. */
  readonly roots: string;
  /** Of all that it is to hold. */
  readonly manifests: readonly Manifest[];
  readonly members: InstallRequest['members'];
  readonly notes: GenerationRecord['notes'];
  /** Why it gets a new one. */
  readonly reasons: readonly Reason[];
  /** Whether this was chosen for what is there; see `InstallRequest`. */
  readonly isSince?: NonNullable<InstallRequest['isSince']>;
  /** How many generations stay; see `InstallRequest`. */
  readonly keep?: number;
}

type Needed = Pick<Run, 'disk' | 'emit' | 'signal'>;

/** @throws {VbuildError | VbuildErrors} `install-refused`. @throws {PrefixMoved} */
export async function switchPrefix(to: NewContent, run: Needed): Promise<Generation> {
  const { prefix, roots, manifests, members, notes, reasons, isSince, keep } = to;
  const { emit, signal } = run;
  for (const mixed of mixedAmong(manifests)) emit(mixedNotice(mixed));
  const startedMs = performance.now();
  emit({ type: 'stage-started', package: roots, stage: 'install', reasons });
  const generation = await install({
    prefix,
    members,
    notes,
    ...(isSince && { isSince }),
    peers: notedPrefixes(run.disk.folder),
    ...(keep !== undefined && { keep }),
    signal,
    ...prefixNotices(emit),
  });
  emit({ type: 'stage-finished', package: roots, stage: 'install', durationMs: performance.now() - startedMs });
  emit({ type: 'installed', prefix, generation: generation.number, packages: manifests.length });
  await reportShadowed(manifests, run);
  return generation;
}

const mixedNotice = ({ package: one, dependency, expected, found }: Mixed): Parameters<Emit>[0] => ({
  type: 'notice',
  level: 'warning',
  code: 'mixed-set',
  headline: `${one} was compiled against another build of ${dependency} than the one beside it`,
  package: one,
  facts: { expected: `tree ${expected}`, found: `tree ${found}` },
});
