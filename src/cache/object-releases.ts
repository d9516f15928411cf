/** The part of a tier over a store of objects that is about releases: documents under names, each put once and never changed. */
import { type Asking, lackOf, type PutObject, smallPut } from './asking.ts';
import type { TierReleases } from './cache.ts';
import { releaseObject } from './layout.ts';

interface Parts extends Pick<Asking, 'ask'> {
  readonly within: (object: string) => string;
  readonly put: PutObject;
}

export function objectReleases({ within, ask, put }: Parts): TierReleases {
  const get: TierReleases['get'] = async (name, signer, signal) => {
    const { LARGEST_RELEASE } = await import('../artifact/release.ts');
    const object = within(releaseObject(name, signer));
    const asked = await ask((objects, once) => objects.getSmall(object, LARGEST_RELEASE, once), signal);
    return asked.outcome === 'done' ? { outcome: 'done', bytes: asked.value } : lackOf(asked);
  };
  return {
    get,
    put: (name, signer, bytes, signal) => {
      const object = within(releaseObject(name, signer));
      const isThere = async (): Promise<boolean> => (await get(name, signer, signal)).outcome !== 'absent';
      return put(object, smallPut(object, bytes), signal, { isThere, replace: false });
    },
  };
}
