/** What several tiers lack, put together into one answer (pure). */
import type { Manifest } from '../artifact/manifest.ts';
import type { Lack } from './cache.ts';

/** One that is there, sound and acceptable, and of no use to whoever asks. */
export interface Unfit {
  readonly outcome: 'unfit';
  readonly reason: string;
  /** What it does not fit; one that is made here of the same fits this host, but no other prefix. */
  readonly misfit: 'host' | 'prefix';
}

/** Why an artifact is of no use here, told from its manifest; undefined when it is. */
export type Judge = (manifest: Manifest) => Omit<Unfit, 'outcome'> | undefined;

/** What one tier, by its name, has instead. */
export type NamedLack<Nothing = Lack | Unfit> = readonly [tier: string, lack: Nothing];

/** The answer of the kind that tells most, with the reasons of all that gave it. */
export function mostTelling<Nothing extends Lack | Unfit>(lacks: readonly NamedLack<Nothing>[]): Nothing | Lack;
export function mostTelling(lacks: readonly NamedLack[]): Lack | Unfit {
  for (const outcome of ['unfit', 'rejected', 'unreachable'] as const) {
    const told = lacks.flatMap(([tier, lack]) => (lack.outcome === outcome ? [[tier, lack] as const] : []));
    if (told.length === 0) continue;
    const reason = told.map(([tier, lack]) => `${tier}: ${lack.reason}`).join('; ');
    if (outcome !== 'unfit') return { outcome, reason };
    const ofPrefix = told.some(([, lack]) => lack.outcome === 'unfit' && lack.misfit === 'prefix');
    return { outcome, reason, misfit: ofPrefix ? 'prefix' : 'host' };
  }
  return { outcome: 'absent' };
}
