/** Asks the places of a source one after another, mirrors among them, until one serves. */
import { VbuildError } from '../model/error.ts';
import { shown } from '../model/passwords.ts';
import { placesFor, type Reach } from './mirror-spec.ts';
import type { SourceContext } from './source.ts';
import { placeOf } from './version-control.ts';

/** All that is asked for one and the same thing, in this order; URLs as they are, paths made absolute. @param urls As the Buildfile has them. */
export const placesOfAll = (
  urls: readonly string[],
  reach: Reach,
  { mirrors, buildfileFolder }: Pick<SourceContext, 'mirrors' | 'buildfileFolder'>,
): string[] => urls.flatMap((one) => placesFor(one, mirrors, reach).map(({ url }) => placeOf(url, buildfileFolder)));

/**
 * @param urls As the Buildfile has them: places of one and the same thing.
 * @param ask  Does the work with one place; what it leaves behind when it throws must not be in the next one's way.
 * @throws what `ask` threw: a `pin-mismatch` of any place, else what the first place of the Buildfile's own led to.
 */
export async function firstPlace<Result>(
  urls: readonly string[],
  reach: Reach,
  context: SourceContext,
  ask: (url: string) => Promise<Result>,
): Promise<Result> {
  const places = urls.flatMap((url) => placesFor(url, context.mirrors, reach));
  const troubles: { readonly error: VbuildError; readonly isMirror: boolean }[] = [];
  for (const [at, { url, isMirror }] of places.entries()) {
    try {
      return await ask(url);
    } catch (error) {
      if (!(error instanceof VbuildError)) throw error;
      troubles.push({ error, isMirror });
      const next = places[at + 1];
      if (next !== undefined) passOver(error, isMirror, next.url, context);
    }
  }
  const told =
    troubles.find(({ error }) => error.code === 'pin-mismatch') ??
    troubles.find(({ isMirror }) => !isMirror) ??
    troubles[0];
  if (told === undefined) throw new Error('a source without a place passed validation');
  throw told.error;
}

/** As `firstPlace`, for one repository. @param ask Is given URLs as they are, and absolute paths. */
export const firstRepository = <Result>(
  url: string,
  context: SourceContext,
  ask: (url: string) => Promise<Result>,
): Promise<Result> =>
  firstPlace([url], { archives: false }, context, (place) => ask(placeOf(place, context.buildfileFolder)));

/** A mirror that does not have everything is no trouble; one that fails is. */
function passOver(error: VbuildError, isMirror: boolean, next: string, context: SourceContext): void {
  const { file } = error.where;
  context.emit({
    type: 'notice',
    level: context.offline || (isMirror && error.code === 'source-missing') ? 'info' : 'warning',
    code: error.code,
    headline: 'Mirror is passed over',
    package: context.package,
    facts: { ...(file !== undefined && { file }), ...error.facts, next: shown(next) },
  });
}
