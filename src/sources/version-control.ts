/** What sources kept in version control have in common: how places are written, and what is said when something is not to be had (pure). */
import { resolve } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { shown } from '../model/passwords.ts';
import type { Pin, SourceContext } from './source.ts';

/** As git tells them apart: a colon before the first slash makes it a remote place. */
export const isPath = (url: string): boolean => !/^[^/]*:/.test(url);

/** What a tool is to be given: URLs as they are, paths made absolute. @param folder Where relative ones begin. */
export const placeOf = (url: string, folder: string): string => (isPath(url) ? resolve(folder, url) : url);

/** The commit of a pin. @throws {VbuildError} `lock-file-invalid` */
export function commitIn(pin: Pin): string {
  if (pin.commit !== undefined) return pin.commit;
  throw new VbuildError('lock-file-invalid', `Pin of a ${pin.kind} source names no commit`, {
    mend: 'pin it anew with vbuild update',
  });
}

/** @throws {VbuildError} `download-failed` when asking this place would open a socket and none may be opened. */
export function refuseOffline(url: string, what: string, { offline }: Pick<SourceContext, 'offline'>): void {
  if (offline && !isPath(url) && !url.startsWith('file:'))
    throw new VbuildError('download-failed', 'Commit is not here and may not be fetched', {
      facts: { url: shown(url), rev: what, reason: 'vbuild runs offline' },
      mend: 'run once without --offline',
    });
}

export const noSuchRev = (url: string, rev: string, mend: string): VbuildError =>
  new VbuildError('source-missing', 'Repository has no such tag or branch', { facts: { url: shown(url), rev }, mend });

export const noSuchFolder = (commit: string, folder: string): VbuildError =>
  new VbuildError('source-missing', 'Commit has no such folder', {
    facts: { commit, folder },
    mend: 'correct subdir',
  });

/**
 * Why a pinned commit is not to be had from a server that answers.
 *
 * @param now What the rev of the Buildfile stands for today; undefined when it names a commit, or nothing any more.
 */
export function commitGone(url: string, commit: string, rev: string | undefined, now: string | undefined): VbuildError {
  if (now !== undefined && now !== commit)
    return new VbuildError('pin-mismatch', 'Upstream moved the rev and dropped the pinned commit', {
      facts: { url: shown(url), rev: rev ?? '', expected: commit, found: now },
      mend: 'find out why upstream moved it; if the move is meant, pin it anew with vbuild update',
    });
  return new VbuildError('source-missing', 'Repository no longer has the pinned commit', {
    facts: { url: shown(url), expected: commit, found: 'no such commit' },
    mend: 'name a mirror that still has it, or pin another one with vbuild update',
  });
}

/**
 * Warns where a tag stands for another commit than the pinned one, which was just brought. A branch moves all the time; a tag should not,
 * and who sees the same name mean two things should know.
 *
 * @param url As it was asked for the commit.
 * @param ask What the tag stands for now; undefined where there is no such tag.
 */
export async function tellIfMoved(
  { url, rev, commit }: { readonly url: string; readonly rev: string; readonly commit: string },
  context: SourceContext,
  ask: () => Promise<string | undefined>,
): Promise<void> {
  // The commit is here: whatever keeps the server from answering again is no trouble of this run.
  const now = await ask().catch((error: unknown) => {
    if (error instanceof VbuildError) return undefined;
    throw error;
  });
  if (now === undefined || now === commit) return;
  context.emit({
    type: 'notice',
    level: 'warning',
    code: 'tag-moved',
    headline: 'Upstream moved the tag; the pinned commit is kept',
    package: context.package,
    facts: {
      url: shown(url),
      rev,
      expected: commit,
      found: now,
      mend: `find out why; if the move is meant, follow it with vbuild update ${context.package.replace(/@.*$/, '')}`,
    },
  });
}

/** Says that something which the repository names but does not hold is not part of the source. */
export function leftOut(
  context: SourceContext,
  what: {
    readonly code: string;
    readonly headline: string;
    readonly folders: readonly string[];
    readonly mend: string;
  },
): void {
  context.emit({
    type: 'notice',
    level: 'warning',
    code: what.code,
    headline: what.headline,
    package: context.package,
    facts: { folders: what.folders.join(', '), mend: what.mend },
  });
}
