/** How a Buildfile names a bucket. */

export interface S3Spec {
  readonly kind: 's3';
  readonly bucket: string;
  /** Key prefix inside the bucket, without slashes at its ends; none when not given. */
  readonly prefix?: string;
  /** The SDK's own default (AWS_REGION, profile) when not given. */
  readonly region?: string;
  /** URL of an S3-compatible server; AWS when not given. */
  readonly endpoint?: string;
}

/** A bucket as a cache tier. Credentials come from the environment or the profile, never from the Buildfile. */
export const s3 = (options: Omit<S3Spec, 'kind'>): S3Spec => ({ kind: 's3', ...options });
