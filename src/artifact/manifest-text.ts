/** Manifests as JSON: written so that equal data gives equal bytes, read as if they came from an enemy. */
import * as v from 'valibot';
import {
  body,
  checkedBy,
  count,
  digest,
  hasAllAgainst,
  hasKeyOfText,
  keyed,
  name,
  parseJson,
  resting,
  revision,
  word,
} from './checked.ts';
import type { Manifest } from './manifest.ts';
import { linkTargetProblem, manifestPathProblem } from './manifest-path.ts';

/** Longest manifest that is read, in bytes: room for some hundred thousand files. */
export const LARGEST_MANIFEST = 64 * 1024 * 1024;

/** One line per field and file, keys of every object in code-unit order, a line end at the end. */
export const serialiseManifest = (manifest: Manifest): string => `${JSON.stringify(sorted(manifest), undefined, 1)}\n`;

export type ParsedManifest = { readonly manifest: Manifest } | { readonly rejected: string };

/**
 * Reads a manifest that anybody may have written: every field of it is checked, and that its key is the digest of its key text.
 * Whether it is the manifest that was asked for is the caller's to check.
 *
 * @returns The manifest, or what is wrong with it, as one clause.
 */
export function parseManifest(bytes: Uint8Array): ParsedManifest {
  if (bytes.length > LARGEST_MANIFEST)
    return { rejected: `the manifest has ${bytes.length} bytes, more than ${LARGEST_MANIFEST}` };
  const parsed = parseJson('the manifest', bytes);
  if ('rejected' in parsed) return parsed;
  const data = parsed.value;
  const format = typeof data === 'object' && data !== null && 'format' in data ? data.format : undefined;
  if (format !== 1)
    return { rejected: `the manifest has format ${JSON.stringify(format)}, this vbuild reads format 1` };
  const checked = checkedBy(schema, data, 'the manifest');
  return 'rejected' in checked ? checked : { manifest: checked.value };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, content]) => content !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, content]) => [key, sorted(content)]),
  );
}

const path = v.pipe(
  v.string(),
  v.check((text) => manifestPathProblem(text) === undefined, 'expected a plain relative path'),
);

const prefixUse = v.variant('as', [
  v.strictObject({ as: v.literal('text'), interpreterLineBytes: v.exactOptional(count) }),
  v.strictObject({ as: v.literal('run-path') }),
  v.strictObject({ as: v.literal('string'), roomBytes: count, offsets: v.pipe(v.array(count), v.minLength(1)) }),
]);
const plainFile = v.strictObject({
  path,
  type: v.literal('file'),
  mode: v.picklist([0o644, 0o755]),
  sizeBytes: count,
  digest,
  prefix: v.exactOptional(prefixUse),
});
const symlink = v.pipe(
  v.strictObject({ path, type: v.literal('symlink'), target: v.string() }),
  v.check((link) => linkTargetProblem(link.path, link.target) === undefined, 'expected a target inside the prefix'),
);

const schema = v.pipe(
  v.strictObject({
    format: v.literal(1),
    package: v.strictObject({ name, version: name }),
    ...keyed,
    body,
    tree: digest,
    files: v.pipe(
      v.array(v.variant('type', [plainFile, symlink])),
      v.minLength(1),
      v.rawCheck(({ dataset, addIssue }) => {
        const problem = dataset.typed ? listProblem(dataset.value) : undefined;
        if (problem !== undefined) addIssue({ message: problem });
      }),
    ),
    dependencies: resting.dependencies,
    against: v.exactOptional(resting.against),
    needs: v.strictObject({
      symbolVersions: v.record(word, v.pipe(v.string(), v.regex(/^\d{1,6}(\.\d{1,6}){0,5}$/))),
      libraries: v.array(word),
      interpreters: v.exactOptional(v.array(word)),
      cpu: v.exactOptional(v.picklist(['x86-64-v2', 'x86-64-v3', 'x86-64-v4'])),
    }),
    provides: v.record(word, path),
    build: v.strictObject({
      startedAt: v.pipe(v.string(), v.isoTimestamp()),
      durationMs: v.pipe(v.number(), v.finite(), v.minValue(0)),
      tools: v.record(word, word),
      vbuild: word,
      place: v.exactOptional(v.picklist(['canonical', 'padded'])),
      sandbox: v.exactOptional(v.picklist(['sealed', 'open'])),
    }),
    statement: v.exactOptional(
      v.strictObject({
        builder: v.exactOptional(word),
        source: v.strictObject({ pin: v.looseObject({ kind: word }), tree: digest }),
        revision: v.exactOptional(revision),
      }),
    ),
  }),
  v.check((manifest) => hasKeyOfText(manifest), 'the key is not the SHA-256 of the key text'),
  v.check(
    (manifest) => hasAll(manifest.files, Object.values(manifest.provides)),
    'a provided library is not among the files',
  ),
  v.check((manifest) => hasAllAgainst(manifest), 'a dependency is not among what it was compiled against'),
);

/** Files stand in code-unit order, each once, and none lies where another one is no folder. */
function listProblem(files: readonly { readonly path: string }[]): string | undefined {
  const paths = new Set(files.map((file) => file.path));
  for (const [at, file] of files.entries()) {
    const before = files[at - 1]?.path;
    if (before !== undefined && before >= file.path) return `files are not in order at ${JSON.stringify(file.path)}`;
    for (let slash = file.path.indexOf('/'); slash > 0; slash = file.path.indexOf('/', slash + 1)) {
      if (paths.has(file.path.slice(0, slash))) return `${JSON.stringify(file.path)} lies below a file`;
    }
  }
  return undefined;
}

function hasAll(files: readonly { readonly path: string }[], sought: readonly string[]): boolean {
  const paths = new Set(files.map((file) => file.path));
  return sought.every((one) => paths.has(one));
}
