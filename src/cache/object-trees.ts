/** The part of a tier over a store of objects that is about packed trees of sources. */
import type { Digest } from '../model/digest.ts';
import { type Asking, lackOf, type PutObject, smallPut } from './asking.ts';
import type { BlobRef, CacheTier, TreeAnswer } from './cache.ts';
import { sourceObject } from './layout.ts';
import { LARGEST_POINTER, pointerText, readPointer } from './packed-tree.ts';

interface Parts extends Pick<Asking, 'ask' | 'failed'> {
  readonly within: (object: string) => string;
  readonly put: PutObject;
  /** Whether a blob is there whole, and kept from now on, with the object that names it. */
  readonly isKept: (namedBy: string, blob: Required<BlobRef>, signal: AbortSignal) => Promise<boolean>;
}

export function objectTrees({
  within,
  ask,
  failed,
  put,
  isKept,
}: Parts): Pick<CacheTier, 'lookUpTree' | 'holdsTree' | 'putTree'> {
  async function lookUpTree(tree: Digest, signal: AbortSignal): Promise<TreeAnswer> {
    const object = within(sourceObject(tree));
    const asked = await ask((objects, once) => objects.getSmall(object, LARGEST_POINTER, once), signal);
    return asked.outcome === 'done' ? readPointer(Buffer.from(asked.value).toString(), tree) : lackOf(asked);
  }

  async function holdsTree(tree: Digest, signal: AbortSignal): Promise<boolean> {
    const found = await lookUpTree(tree, signal);
    return found.outcome === 'hit' && (await isKept(within(sourceObject(tree)), found.body, signal));
  }

  return {
    lookUpTree,
    holdsTree,
    async putTree(tree, body, signal, repair = false) {
      const object = within(sourceObject(tree));
      const bytes = Buffer.from(pointerText(tree, body));
      const send = (replace: boolean): Promise<'written' | 'there'> =>
        put(object, smallPut(object, bytes), signal, {
          isThere: async () => (await lookUpTree(tree, signal)).outcome !== 'absent',
          replace,
        });
      if ((await send(repair)) === 'written' || (await holdsTree(tree, signal))) return;
      // Put by somebody whose blob is gone since, or damaged: this one's blob is there, so nothing that could be used is lost.
      if ((await send(true)) === 'there')
        throw failed(object, { reason: 'what is there cannot be used', mend: 'remove the object, and push again' });
    },
  };
}
