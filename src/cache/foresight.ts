/** Many look-ups at once: where listing takes fewer requests than asking for each, the list says what is absent. */
import type { Signer } from '../artifact/signer.ts';
import type { ListedObject } from '../system/objects.ts';
import type { Wanted } from './cache.ts';
import { artifactsFolder, keyFolder, manifestNamed } from './layout.ts';

/** From this many single requests on, a few pages of a list are tried first. */
const worthListing = 50;
/** A page may cost this many times what a single request does. */
const pagePrice = 10;

type Page = { readonly objects: readonly ListedObject[]; readonly more: boolean };

/**
 * Lists what a store has around the wanted keys, in their order, jumping over what lies between; gives up when that has become as
 * dear as asking for each.
 *
 * @param places How many places there are to ask for each key.
 * @param top    What stands before every name in the store.
 * @param list   A page of the names behind one, which is relative to `top`.
 * @returns Signers by folder of a key, for every wanted key of which it became known who is there.
 */
export async function foreseen(
  wanted: readonly Wanted[],
  places: number,
  top: string,
  list: (after: string) => Promise<{ readonly outcome: string; readonly value?: Page | undefined }>,
): Promise<ReadonlyMap<string, readonly Signer[]>> {
  const known = new Map<string, Signer[]>();
  const folders = [...new Set(wanted.map(({ name, key }) => keyFolder(name, key)))].sort();
  if (folders.length * places < worthListing) return known;
  let pages = Math.floor((folders.length * places) / pagePrice);
  for (let at = 0; at < folders.length && pages > 0; pages -= 1) {
    // A folder's own name stands before all that lies in it.
    const asked = await list(folders[at] ?? artifactsFolder);
    if (asked.outcome !== 'done' || asked.value === undefined) return known;
    const { objects, more } = asked.value;
    const names = objects.map(({ name }) => name.slice(top.length));
    const last = names.at(-1) ?? '';
    // What the page goes past is known whole; what it ends in is listed again.
    const whole = folders.slice(at).filter((folder) => !more || `${folder}/\uffff` < last);
    for (const folder of whole) known.set(folder, []);
    at += whole.length;
    for (const name of names) {
      const { signer } = manifestNamed(name) ?? {};
      if (signer !== undefined) known.get(name.slice(0, name.lastIndexOf('/')))?.push(signer);
    }
    // One key with a page full of signers is no cache of ours.
    if (whole.length === 0) return known;
  }
  return known;
}
