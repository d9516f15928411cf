/** Checks that several kinds of sources share (pure). */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isPath } from './version-control.ts';

/** Whether a value is a path that stays below where it starts. */
export const isInside = (path: unknown): boolean =>
  typeof path === 'string' && path !== '' && !isAbsolute(path) && !path.split('/').includes('..');

/** The absolute path that a `file:` URL names; undefined where it names another host, or what no file can be called. */
export function pathOfFileUrl(url: string): string | undefined {
  try {
    const path = fileURLToPath(url);
    return path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

/** Whether each `%` of a URL's path begins the escape of a character. */
export function isEscaped(url: string): boolean {
  try {
    return !decodeURIComponent(new URL(url).pathname).includes('\0');
  } catch {
    return false;
  }
}

/** Mistakes in the URL of a repository: only the schemes given, or a path, and nothing that a tool would take for an option. */
export function urlProblems(kind: string, url: unknown, schemes: readonly string[]): readonly string[] {
  if (typeof url !== 'string' || url === '') return [`${kind} needs the URL of a repository, as a string`];
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/(?!-)/i.exec(url)?.[1]?.toLowerCase();
  if (url.startsWith('-') || /[\0\n]/.test(url) || (scheme === undefined && !isPath(url)))
    return [`${JSON.stringify(url)} is not the URL of a repository`];
  if (scheme === undefined || schemes.includes(scheme)) return [];
  return [`${kind} cannot read from ${scheme}: (${schemes.map((one) => `${one}:`).join(', ')} and paths it can)`];
}

export const subdirProblems = (subdir: unknown): readonly string[] =>
  subdir === undefined || isInside(subdir) ? [] : ['subdir must be a relative path without ".."'];
