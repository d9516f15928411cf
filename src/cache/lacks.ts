/** What several tiers lack, put together into one answer (pure). */
import type { Manifest } from '../artifact/manifest.ts';
import type { Lack } from './cache.ts';

/** One that is there, sound and acceptable, and of no use to whoever asks. */
export interface Unfit {
  readonly outcome: 'unfit';
  readonly reason: string;
}

/** Why an artifact is of no use here, one clause each, told from its manifest; none when it is. */
export type Judge = (manifest: Manifest) => readonly string[];

/** What one tier, by its name, has instead. */
export type NamedLack<Nothing = Lack | Unfit> = readonly [tier: string, lack: Nothing];

/** The answer of the kind that tells most, with the reasons of all that gave it. */
export function mostTelling<Nothing extends Lack | Unfit>(lacks: readonly NamedLack<Nothing>[]): Nothing | Lack;
export function mostTelling(lacks: readonly NamedLack[]): Lack | Unfit {
  for (const outcome of ['unfit', 'rejected', 'unreachable'] as const) {
    const reasons = lacks.flatMap(([tier, lack]) => (lack.outcome === outcome ? [`${tier}: ${lack.reason}`] : []));
    if (reasons.length > 0) return { outcome, reason: reasons.join('; ') };
  }
  return { outcome: 'absent' };
}
