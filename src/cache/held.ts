/** Reads a manifest that lies on this machine's disk, for looking at it only. Loaded at need, since checking needs a library. */
import type { Manifest } from '../artifact/manifest.ts';
import type { Signer } from '../artifact/signer.ts';
import { bytesIfReadable } from '../system/files.ts';
import { judgeManifest } from './judge.ts';
import type { Asked } from './layout.ts';

/**
 * Sets nothing aside, and asks for no policy: nothing is unpacked. The body is not looked at.
 *
 * @param file Absolute.
 * @returns Undefined for one that is not there, cannot be read, or is not of its place.
 */
export function readHeld(file: string, place: Asked & { readonly signer: Signer }): Manifest | undefined {
  const bytes = bytesIfReadable(file);
  const judged = bytes && judgeManifest(bytes, { ...place, own: true }, undefined);
  return judged?.outcome === 'hit' ? judged.manifest : undefined;
}
