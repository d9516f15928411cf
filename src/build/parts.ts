/** What a closure is made of, for bills of materials: sources, the patches that were applied to them, and the licence texts in them. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { LockedSource } from '../buildfile/pins.ts';
import type { ContentKey } from '../model/digest.ts';
import type { SeriesPatch } from '../patches/patch-spec.ts';
import { readSeriesFolder } from '../patches/series.ts';
import { sourceKind } from '../sources/index.ts';
import { type LicenceText, licenceTexts } from '../sources/licences.ts';
import type { Origin } from '../sources/origin.ts';
import { factsNow } from './facts.ts';
import { fullClosure, runClosure } from './graph.ts';
import { type PatchRequest, type PatchSession, inTurn } from './patch-session.ts';

export interface Part {
  readonly package: Package;
  /** `name@version` */
  readonly id: string;
  /** Whether it reaches the prefix; else it is needed for building only. */
  readonly installed: boolean;
  readonly source: LockedSource;
  readonly origin: Origin;
  /** In the order in which they are applied: those that upstream itself ships, then those of the Buildfile. */
  readonly patches: readonly PartPatch[];
  readonly licences: readonly LicenceText[];
  /** Undefined as long as something that it depends on is not pinned for this platform. */
  readonly key: ContentKey | undefined;
}

export interface PartPatch extends SeriesPatch {
  readonly by: 'upstream' | 'buildfile';
}

export interface PartsRequest extends PatchRequest {
  readonly targets: readonly Package[];
}

/**
 * The packages of the closure of the targets, each after those that it needs. Sources are fetched where they are not here; nothing is compiled.
 *
 * @param visit Called for each part while its source is sure to lie where it does.
 * @throws {VbuildError} what fetching throws
 */
export async function partsOf(
  request: PartsRequest,
  visit: (part: Part, session: PatchSession) => Promise<void> = async () => undefined,
): Promise<readonly Part[]> {
  const { targets, workspace, platform } = request;
  const packages = fullClosure(targets);
  const installed = new Set(runClosure(targets));
  const parts: Part[] = [];
  await inTurn(request, async (inSession) => {
    for (const one of packages)
      await inSession(one, async (session) => {
        const part = partOf(session, installed.has(one), platform);
        await visit(part, session);
        parts.push(part);
      });
  });
  // Only now everything has its pin.
  const { known } = factsNow(packages, { workspace, platform });
  return parts.map((part) => ({ ...part, key: known.get(part.package)?.key }));
}

function partOf({ package: one, source, series, places }: PatchSession, installed: boolean, platform: string): Part {
  const upstream = source.series === undefined ? [] : readSeriesFolder(places.series);
  return {
    package: one,
    id: packageId(one),
    installed,
    source,
    origin: sourceKind(one.source).origin(one.source, source.pin, platform.split(' ')[1] ?? ''),
    patches: [
      ...upstream.map((patch) => ({ ...patch, by: 'upstream' as const })),
      ...series.patches.map((patch) => ({ ...patch, by: 'buildfile' as const })),
    ],
    licences: licenceTexts(places.source),
    key: undefined,
  };
}
