/** What documents that anybody may have written have in common: the pieces of their schemas, and how they are read and refused. */
import * as v from 'valibot';
import { isKeyText } from '../key/fields.ts';
import { digestOf, isDigest, type ContentKey, type Digest } from '../model/digest.ts';
import { messageOf } from '../model/error.ts';
import type { Manifest } from './manifest.ts';

/** A digest or a content key, which are spelt alike. */
const sha256 = <Kind extends Digest | ContentKey>() =>
  v.custom<Kind>((text) => typeof text === 'string' && isDigest(text), 'expected 64 lower-case hexadecimal digits');

export const digest = sha256<Digest>();
const key = sha256<ContentKey>();

/** The content key of an artifact with its text; see `hasKeyOfText`. */
export const keyed = { key, keyText: v.pipe(v.string(), v.check(isKeyText, 'expected the fields of a key')) };

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const word = v.pipe(v.string(), v.regex(/^\P{Cc}{1,300}$/u, 'expected a short text without control characters'));

/** Becomes a part of paths and of addresses in a bucket. */
export const name = v.pipe(word, v.regex(/^(?!\.)[^/\\\s]+$/, 'expected a name without slashes and blanks'));

/** Of a packed tree. */
export const body = v.strictObject({ digest, sizeBytes: count, unpackedBytes: count });

/** The trees that an artifact rests on; see `hasAllAgainst`. */
export const resting = {
  dependencies: v.array(v.strictObject({ name, version: name, key, tree: digest })),
  against: v.pipe(v.array(v.strictObject({ name, tree: digest, reachesPrefix: v.boolean() })), v.minLength(1)),
};

/** Whether the key is the SHA-256 of its text. */
export const hasKeyOfText = (one: Pick<Manifest, 'key' | 'keyText'>): boolean =>
  (digestOf(one.keyText) as string) === one.key;

/** Whether each dependency is among all that the artifact was compiled against, where that is said. */
export const hasAllAgainst = ({ dependencies, against }: Pick<Manifest, 'dependencies' | 'against'>): boolean =>
  against === undefined ||
  dependencies.every((one) => against.some(({ name: other, tree }) => other === one.name && tree === one.tree));

/** Of the checkout that a document was made from. */
export const revision = v.strictObject({
  commit: v.pipe(v.string(), v.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a full commit id')),
  clean: v.boolean(),
  ref: v.exactOptional(word),
});

/** Something as it should be, or what is wrong with it, as one clause. */
type Checked<Value> = { readonly value: Value } | { readonly rejected: string };

/** @param what What the bytes should hold, such as `the manifest`. */
export function parseJson(what: string, bytes: Uint8Array): Checked<unknown> {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (error) {
    return { rejected: `${what} is not JSON: ${messageOf(error)}` };
  }
}

/** Names the first place at which `data` is not what the schema says. */
export function checkedBy<Value>(schema: v.GenericSchema<unknown, Value>, data: unknown, what: string): Checked<Value> {
  const checked = v.safeParse(schema, data, { abortEarly: true });
  if (checked.success) return { value: checked.output };
  const [issue] = checked.issues;
  const place = v.getDotPath(issue);
  return {
    rejected: `${what} is not valid${place === null ? '' : ` at ${place}`}: ${issue.message.slice(0, 300)}`,
  };
}
