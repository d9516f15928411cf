/** Exactly what a step can see: the standard environment with places as symbols, and the same with real places (pure). */
import { systemPath } from '../system/user-environment.ts';
import { type Recipe, place } from './recipe.ts';

/** 2020-01-01T00:00:00Z: the one time of all files of a tree that is compiled, and SOURCE_DATE_EPOCH; in seconds since 1970. */
export const SOURCE_TIME_SECONDS = 1_577_836_800;

/** Compiler flags for both languages: no debug information, and no path of the build in `__FILE__`. */
const compilerFlags = `-O2 -g0 -ffile-prefix-map=${place.root}=/vbuild -ffile-prefix-map=${place.prefix}=/vbuild/prefix`;

/** What every step has unless its recipe says otherwise; a recipe that wants more flags writes `${standardVariables.CFLAGS} -DMORE`. */
export const standardVariables = {
  ACLOCAL_PATH: `${place.prefix}/share/aclocal`,
  CFLAGS: compilerFlags,
  CMAKE_PREFIX_PATH: place.prefix,
  // configure reads share/config.site of its --prefix unless this names another file; /dev/null is its own word for none.
  CONFIG_SITE: '/dev/null',
  CPPFLAGS: `-I${place.prefix}/include`,
  CXXFLAGS: compilerFlags,
  // A version that is asked of git must not come from the repository that holds the work folder.
  GIT_CEILING_DIRECTORIES: place.root,
  HOME: `${place.root}/home`,
  LC_ALL: 'C',
  // A build id is a digest over the unstripped symbols, which name build folders.
  LDFLAGS: `-L${place.prefix}/lib -Wl,-rpath,${place.prefix}/lib -Wl,--build-id=none`,
  // LIBDIR, not PATH: it also shuts out the system's own .pc files.
  PKG_CONFIG_LIBDIR: `${place.prefix}/lib/pkgconfig:${place.prefix}/share/pkgconfig`,
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONHASHSEED: '0',
  PYTHONNOUSERSITE: '1',
  SOURCE_DATE_EPOCH: String(SOURCE_TIME_SECONDS),
  TERM: 'dumb',
  TMPDIR: `${place.root}/tmp`,
  TZ: 'UTC',
} as const;

/** Variables that are vbuild's own to set: none of them may be in a recipe. */
export const reservedVariables: readonly string[] = [
  'PATH',
  'MAKEFLAGS',
  'GNUMAKEFLAGS',
  'MFLAGS',
  'MAKEOVERRIDES',
  'MAKELEVEL',
];

/** The whole environment of a recipe's steps as it enters the content key: places as symbols, without PATH, names in code-unit order. */
export function standardEnvironment(recipe: Pick<Recipe, 'env'>): Record<string, string> {
  const entries = Object.entries({ ...standardVariables, ...recipe.env });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The real places of one compilation; absolute paths, save for `python`. */
export interface Places {
  readonly prefix: string;
  readonly stage: string;
  readonly tree: string;
  readonly root: string;
  /** Such as `python3.11`; only recipes that declare python3 have one. */
  readonly python?: string;
}

/** Puts real places, and the number of jobs, where a text has their symbols. */
export function withPlaces(text: string, places: Places, jobs: number): string {
  return text.replaceAll(/@(prefix|stage|tree|root|python|jobs)@/g, (symbol, name: keyof typeof place) => {
    const real = name === 'jobs' ? String(jobs) : places[name];
    if (real === undefined) throw new Error(`A step uses ${symbol}, but its recipe declares no tool python3`);
    return real;
  });
}

/** The reverse, for people: what steps print is full of paths that are long and mean little. */
export function asSymbols(text: string, { root, prefix, stage, tree }: Places): string {
  const symbols = [
    [prefix, place.prefix],
    [stage, place.stage],
    [tree, place.tree],
    [root, place.root],
  ] as const;
  return symbols.reduce((said, [path, symbol]) => said.replaceAll(path, symbol), text);
}

/** The environment as steps really get it: nothing of the caller's is in it. */
export function realEnvironment(
  symbolic: Readonly<Record<string, string>>,
  places: Places,
  jobs: number,
): Record<string, string> {
  const real = Object.entries(symbolic).map(([name, text]) => [name, withPlaces(text, places, jobs)] as const);
  // Never the caller's own; no part of the content key.
  return { ...Object.fromEntries(real), PATH: `${places.prefix}/bin:${systemPath}` };
}
