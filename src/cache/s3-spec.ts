/** How a Buildfile names a bucket. */

export interface S3Spec {
  readonly kind: 's3';
  readonly bucket: string;
  /** Key prefix inside the bucket, without slashes at its ends; none when not given. */
  readonly prefix?: string;
  /** When not given, that of AWS_REGION or AWS_DEFAULT_REGION, else of the profile, else `us-east-1`. */
  readonly region?: string;
  /** URL of an S3-compatible server; when not given, that of AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile, else AWS itself. */
  readonly endpoint?: string;
  /**
   * Where the bucket stands in the URLs of requests: in the `path`, or before the name of the `host`. When not given, `path` with an
   * endpoint and `host` at AWS.
   */
  readonly addressing?: 'path' | 'host';
}

/**
 * A bucket as a cache tier. Credentials come from the environment or the profile, never from the Buildfile.
 *
 * Throws nothing, here and when it is asked: a bucket in trouble is a warning. Only an upload that fails is an error, `upload-failed`.
 */
export const s3 = (options: Omit<S3Spec, 'kind'>): S3Spec => ({ kind: 's3', ...options });

/**
 * Every mistake in a spec, each one a clause such as `bucket must be a string`.
 *
 * @param spec What the Buildfile holds, of any shape.
 * @see Amazon S3 user guide, "General purpose bucket naming rules".
 */
export function s3Problems(spec: unknown): string[] {
  if (typeof spec !== 'object' || spec === null) return ['a cache tier must be made by s3({ … })'];
  const { kind, bucket, prefix, region, endpoint, addressing, ...others } = spec as Readonly<Record<string, unknown>>;
  return [
    ...(kind === 's3' ? [] : ['a cache tier must be made by s3({ … })']),
    ...bucketProblems(bucket),
    ...(prefix === undefined ? [] : prefixProblems(prefix)),
    ...(region === undefined || (typeof region === 'string' && /^[a-z0-9-]+$/i.test(region))
      ? []
      : ['region must be a region code such as eu-central-1']),
    ...(endpoint === undefined ? [] : endpointProblems(endpoint)),
    ...(addressing === undefined || addressing === 'path' || addressing === 'host'
      ? []
      : ["addressing must be 'path' or 'host'"]),
    ...Object.keys(others).map(
      (name) => `${name} is not an option of s3(); those are bucket, prefix, region, endpoint and addressing`,
    ),
  ];
}

function bucketProblems(bucket: unknown): string[] {
  if (typeof bucket !== 'string') return ['bucket must be a string'];
  if (bucket.includes('/')) return ['bucket must be the name alone; what follows a slash belongs in prefix'];
  const wellFormed =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) && !bucket.includes('..') && !/^(\d+\.){3}\d+$/.test(bucket);
  return wellFormed
    ? []
    : ['bucket must be 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends'];
}

function prefixProblems(prefix: unknown): string[] {
  if (typeof prefix !== 'string') return ['prefix must be a string'];
  const parts = prefix.split('/');
  if (parts.includes('')) return ['prefix must not be empty, begin or end with a slash, or hold two in a row'];
  if (parts.some((part) => part === '.' || part === '..') || /[\\\p{Cc}]/u.test(prefix))
    return ['prefix must not hold . or .. as a part, backslashes or control characters'];
  // An object's name may have 1024 bytes; the rest is for ours.
  return Buffer.byteLength(prefix) <= 512 ? [] : ['prefix must have at most 512 bytes'];
}

function endpointProblems(endpoint: unknown): string[] {
  const url = typeof endpoint === 'string' ? URL.parse(endpoint) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    return ['endpoint must be a URL such as https://s3.example.org'];
  if (url.username !== '' || url.password !== '')
    return ['endpoint must not hold a user name or password; credentials come from the environment'];
  return url.search === '' && url.hash === '' ? [] : ['endpoint must end with the host, the port or a path'];
}
