/** Whether the bytes that lie where a manifest should be are the manifest that was asked for; pure. Loaded at need, since checking needs a library. */
import { parseManifest } from '../artifact/manifest-text.ts';
import type { ContentKey } from '../model/digest.ts';
import type { Answer } from './cache.ts';

export { LARGEST_MANIFEST, serialiseManifest } from '../artifact/manifest-text.ts';

export function judgeManifest(
  bytes: Uint8Array,
  name: string,
  key: ContentKey,
): Extract<Answer, { outcome: 'hit' | 'rejected' }> {
  const parsed = parseManifest(bytes);
  if ('rejected' in parsed) return { outcome: 'rejected', reason: parsed.rejected };
  const { manifest } = parsed;
  if (manifest.package.name !== name)
    return { outcome: 'rejected', reason: `it is the manifest of package ${manifest.package.name}` };
  if (manifest.key !== key) return { outcome: 'rejected', reason: `it is the manifest of key ${manifest.key}` };
  return { outcome: 'hit', manifest };
}
