/** What programs of apt print, as data; pure. */
import type { Digest } from '../model/digest.ts';

/** One version of a source package as a signed index describes it. */
export interface SourceOffer {
  /** Debian's full version. */
  readonly version: string;
  /** The `Format` of the source package, such as `3.0 (quilt)`. */
  readonly format: string;
}

export interface OfferedFile {
  /** Without folders. */
  readonly name: string;
  readonly uri: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Paragraphs of `Name: value` lines; values that go on in further lines keep their first one only. */
export function records(text: string): Record<string, string>[] {
  return text
    .split(/\n{2,}/)
    .map(
      (paragraph) =>
        Object.fromEntries(
          [...paragraph.matchAll(/^([\w-]+):[ \t]*(.*)$/gm)].map(([, name, value]) => [name, value]),
        ) as Record<string, string>,
    );
}

/** Lines `'URI' NAME SIZE SHA256:DIGEST`. */
export function listedFiles(listing: string): OfferedFile[] {
  return [...listing.matchAll(/^'([^']+)' ([^/\s]+) (\d+) SHA256:([0-9a-f]{64})$/gm)].map(
    ([, uri = '', name = '', size = '', digest = '']) => ({
      name,
      uri,
      digest: digest as Digest,
      sizeBytes: Number(size),
    }),
  );
}

/** The versions of one source package among the records of an index; each one once, though several repositories may have it. */
export function offersIn(text: string, sourcePackage: string): SourceOffer[] {
  const found = records(text).flatMap(({ Package, Version, Format = '' }) =>
    Package === sourcePackage && Version !== undefined ? [[Version, Format] as const] : [],
  );
  return [...new Map(found)].map(([version, format]) => ({ version, format }));
}

/** Lines `E: Failed to fetch URI  REASON`, the reason going on in indented lines. */
export function fetchFailures(stderr: string): Map<string, string> {
  const found = stderr.matchAll(/^[EW]: Failed to fetch (\S+)\s+(.*(?:\n\s+.*)*)/gm);
  return new Map([...found].map(([, uri = '', reason = '']) => [uri, reason.replaceAll(/\s*\n\s*/g, ' ')]));
}
