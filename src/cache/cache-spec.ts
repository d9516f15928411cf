/** Every kind of cache tier that a Buildfile can name; one more means a row here, and one in `tiers.ts`. */
import { directoryCacheProblems, type DirectoryCacheSpec } from './directory-spec.ts';
import { httpCacheProblems, type HttpCacheSpec } from './http-spec.ts';
import { s3Problems, type S3Spec } from './s3-spec.ts';

/** A cache tier as a Buildfile names it: what `s3()`, `directoryCache()` or `httpCache()` returns. */
export type CacheSpec = S3Spec | DirectoryCacheSpec | HttpCacheSpec;

/** Every mistake in a spec, each one a clause. @param spec What the Buildfile holds, of any shape. */
export function cacheProblems(spec: unknown): string[] {
  const made = 'a cache tier must be made by s3({ … }), directoryCache(…) or httpCache(…)';
  if (typeof spec !== 'object' || spec === null) return [made];
  const given = spec as Readonly<Record<string, unknown>>;
  switch (given['kind']) {
    case 's3':
      return s3Problems(spec);
    case 'directory':
      return directoryCacheProblems(given);
    case 'http':
      return httpCacheProblems(given);
    default:
      return [made];
  }
}
