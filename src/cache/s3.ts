/** A bucket as a cache tier. */
import type { Bucket } from '../system/s3.ts';
import type { CacheTier } from './cache.ts';
import { below } from './layout.ts';
import { objectTier } from './object-tier.ts';
import { type Patience, defaultPatience } from './patience.ts';
import type { S3Spec } from './s3-spec.ts';
import { faultOf, s3Trouble } from './s3-trouble.ts';
import type { Trust } from './trust.ts';

interface S3CacheOptions {
  /** Whose manifests are acceptable; those that nobody signed when not given. */
  readonly trust?: Trust | undefined;
  readonly patience?: Patience;
}

/** How a bucket is called. */
export const bucketName = ({ bucket, prefix }: S3Spec): string =>
  `s3://${below(bucket, prefix ?? '').replace(/\/$/, '')}`;

/** The bucket itself, connected to at once. @param env As for `s3Cache`. */
export async function bucketOf(
  spec: S3Spec,
  env: Readonly<Record<string, string | undefined>>,
  patience: Patience = defaultPatience,
): Promise<Bucket> {
  const { openBucket } = await import('../system/s3.ts');
  return openBucket({ ...spec, env, ...patience });
}

/**
 * The S3 client is loaded and credentials are sought at the first request.
 *
 * @param env The environment, for keys, region and proxies; profiles and the like are found by the client itself.
 */
export function s3Cache(
  spec: S3Spec,
  env: Readonly<Record<string, string | undefined>>,
  { trust, patience = defaultPatience }: S3CacheOptions = {},
): CacheTier {
  let anonymous = false;
  return objectTier(
    {
      name: bucketName(spec),
      writable: true,
      pages: true,
      within: (object) => below(spec.prefix, object),
      shown: (object) => `s3://${spec.bucket}/${object}`,
      async open() {
        const bucket = await bucketOf(spec, env, patience);
        ({ anonymous } = bucket);
        return bucket;
      },
      judge(thrown, purpose) {
        const fault = faultOf(thrown);
        return fault.name === 'Damaged'
          ? { outcome: 'rejected', reason: fault.message, mend: 'remove the object' }
          : s3Trouble(fault, { purpose, anonymous });
      },
    },
    trust,
    patience,
  );
}
