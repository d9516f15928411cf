/** The part of a tier over a store of objects that is about packed trees of sources. */
import type { Digest } from '../model/digest.ts';
import type { PutOutcome, WritableObjects } from '../system/objects.ts';
import type { Asking } from './asking.ts';
import type { CacheTier, TreeAnswer } from './cache.ts';
import { blobObject, sourceObject } from './layout.ts';
import { LARGEST_POINTER, pointerText, readPointer } from './packed-tree.ts';

interface Parts extends Pick<Asking, 'ask' | 'failed'> {
  readonly within: (object: string) => string;
  /** Create-only, unless it is to replace. */
  readonly put: (
    object: string,
    request: (objects: WritableObjects, replace: boolean, signal: AbortSignal) => Promise<PutOutcome>,
    signal: AbortSignal,
    options: { readonly isThere: () => Promise<boolean>; readonly replace: boolean },
  ) => Promise<'written' | 'there'>;
  readonly renewAfterMs: number;
}

export function objectTrees({
  within,
  ask,
  failed,
  put,
  renewAfterMs,
}: Parts): Pick<CacheTier, 'lookUpTree' | 'holdsTree' | 'putTree'> {
  async function lookUpTree(tree: Digest, signal: AbortSignal): Promise<TreeAnswer> {
    const object = within(sourceObject(tree));
    const asked = await ask((objects, once) => objects.getSmall(object, LARGEST_POINTER, once), signal);
    if (asked.outcome === 'done') return readPointer(Buffer.from(asked.value).toString(), tree);
    return asked.outcome === 'absent' ? asked : { outcome: asked.outcome, reason: asked.reason };
  }

  async function holdsTree(tree: Digest, signal: AbortSignal): Promise<boolean> {
    const found = await lookUpTree(tree, signal);
    if (found.outcome !== 'hit') return false;
    const blob = within(blobObject(found.body.digest));
    const stat = await ask((objects, once) => objects.stat(blob, once), signal);
    if (stat.outcome !== 'done' || stat.value?.sizeBytes !== found.body.sizeBytes) return false;
    if (Date.now() - stat.value.modifiedMs > renewAfterMs)
      for (const one of [within(sourceObject(tree)), blob])
        await ask((objects, once) => (objects as WritableObjects).renew(one, once), signal, undefined, 'write');
    return true;
  }

  return {
    lookUpTree,
    holdsTree,
    async putTree(tree, body, signal, repair = false) {
      const object = within(sourceObject(tree));
      const bytes = Buffer.from(pointerText(tree, body));
      const send = (replace: boolean): Promise<'written' | 'there'> =>
        put(
          object,
          (objects, again, once) => objects.putSmall(object, bytes, { replace: again, signal: once }),
          signal,
          {
            isThere: async () => (await lookUpTree(tree, signal)).outcome !== 'absent',
            replace,
          },
        );
      if ((await send(repair)) === 'written' || (await holdsTree(tree, signal))) return;
      // Put by somebody whose blob is gone since, or damaged: this one's blob is there, so nothing that could be used is lost.
      if ((await send(true)) === 'there')
        throw failed(object, { reason: 'what is there cannot be used', mend: 'remove the object, and push again' });
    },
  };
}
