/** How a Buildfile names a web server that hands out a cache. */

export interface HttpCacheSpec {
  readonly kind: 'http';
  readonly url: string;
}

/**
 * A cache that a plain web server hands out, for reading only: the layout of a bucket or of a directory tier below one URL. No
 * credentials are sent. Throws nothing, here and when it is asked.
 *
 * @param url `https:` (or `http:`) URL of its top.
 */
export const httpCache = (url: string): HttpCacheSpec => ({ kind: 'http', url });

/** Every mistake in a spec, each one a clause. */
export function httpCacheProblems({ url: text, ...rest }: Readonly<Record<string, unknown>>): string[] {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  const more = Object.keys(rest)
    .filter((name) => name !== 'kind')
    .map((name) => `${name} is not a part of what httpCache() returns`);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    return ['httpCache() takes a URL such as https://cache.example.org/vendor', ...more];
  if (url.username !== '' || url.password !== '')
    return ['url must not hold a user name or password: a Buildfile is no place for secrets', ...more];
  return url.search === '' && url.hash === '' ? more : ['url must end with the host, the port or a path', ...more];
}
