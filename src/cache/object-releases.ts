/** The part of a tier over a store of objects that is about releases: documents under names, each put once and never changed. */
import type { Signer } from '../artifact/signer.ts';
import type { PutOutcome, WritableObjects } from '../system/objects.ts';
import type { Asking } from './asking.ts';
import type { TierReleases } from './cache.ts';
import { releaseObject } from './layout.ts';

interface Parts extends Pick<Asking, 'ask'> {
  readonly within: (object: string) => string;
  /** Create-only, unless it is to replace. */
  readonly put: (
    object: string,
    request: (objects: WritableObjects, replace: boolean, signal: AbortSignal) => Promise<PutOutcome>,
    signal: AbortSignal,
    options: { readonly isThere: () => Promise<boolean>; readonly replace: boolean },
  ) => Promise<'written' | 'there'>;
}

export function objectReleases({ within, ask, put }: Parts): TierReleases {
  const get: TierReleases['get'] = async (name, signer, signal) => {
    const { LARGEST_RELEASE } = await import('../artifact/release.ts');
    const object = within(releaseObject(name, signer));
    const asked = await ask((objects, once) => objects.getSmall(object, LARGEST_RELEASE, once), signal);
    if (asked.outcome === 'done') return { outcome: 'done', bytes: asked.value };
    return asked.outcome === 'absent' ? asked : { outcome: asked.outcome, reason: asked.reason };
  };
  return {
    get,
    put: (name: string, signer: Signer, bytes, signal) =>
      put(
        within(releaseObject(name, signer)),
        (objects, replace, once) =>
          objects.putSmall(within(releaseObject(name, signer)), bytes, { replace, signal: once }),
        signal,
        { isThere: async () => (await get(name, signer, signal)).outcome !== 'absent', replace: false },
      ),
  };
}
