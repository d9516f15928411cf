/** From what a Buildfile names to cache tiers. */
import { VbuildError } from '../model/error.ts';
import type { CacheTier } from './cache.ts';
import type { CacheSpec } from './cache-spec.ts';
import { directoryTier } from './directory.ts';
import { httpTier } from './http.ts';
import { s3Cache } from './s3.ts';
import type { Trust } from './trust.ts';

interface TierContext {
  /** Absolute folder of the Buildfile. */
  readonly folder: string;
  /** For credentials and proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly trust: Trust | undefined;
}

/** Nothing is opened before the tier is asked for something. */
export function tierOf(spec: CacheSpec, { folder, environment, trust }: TierContext): CacheTier {
  switch (spec.kind) {
    case 's3':
      return s3Cache(spec, environment, { trust });
    case 'directory':
      return directoryTier(spec, folder, { trust });
    case 'http':
      return httpTier(spec, environment, { trust });
    default:
      return spec satisfies never;
  }
}

/** Those that a push fills. @throws {VbuildError} `usage` where there is none. */
export function tiersToFill(tiers: readonly CacheTier[]): readonly CacheTier[] {
  const writable = tiers.filter((tier) => tier.writable);
  if (writable.length > 0) return writable;
  throw new VbuildError('usage', 'There is no cache to push to', {
    ...(tiers.length > 0 && { facts: { found: `${tiers.map(({ name }) => name).join(', ')}: for reading only` } }),
    mend: 'name one in the Buildfile, as in cache: [s3({ … })]',
  });
}
