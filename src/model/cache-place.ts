/** Where a user's cache lies (pure). The same rule stands in bin/start.mjs, which runs before any TypeScript can. */

/** Absolute: `VBUILD_CACHE`, else `vbuild` in `XDG_CACHE_HOME`, else in `.cache` of `HOME`; undefined when none of them gives an absolute path. */
export function cachePlace(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { VBUILD_CACHE: own, XDG_CACHE_HOME: shared, HOME: home } = env;
  if (own) return own.startsWith('/') ? own : undefined;
  if (shared?.startsWith('/')) return `${shared}/vbuild`;
  return home?.startsWith('/') ? `${home}/.cache/vbuild` : undefined;
}
