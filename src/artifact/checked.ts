/** What documents that anybody may have written have in common: the pieces of their schemas, and how they are read and refused. */
import * as v from 'valibot';
import { isDigest, type ContentKey, type Digest } from '../model/digest.ts';
import { messageOf } from '../model/error.ts';

/** A digest or a content key, which are spelt alike. */
export const sha256 = <Kind extends Digest | ContentKey>(expected: string) =>
  v.custom<Kind>((text) => typeof text === 'string' && isDigest(text), expected);

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const word = v.pipe(v.string(), v.regex(/^\P{Cc}{1,300}$/u, 'expected a short text without control characters'));

/** Becomes a part of paths and of addresses in a bucket. */
export const name = v.pipe(word, v.regex(/^(?!\.)[^/\\\s]+$/, 'expected a name without slashes and blanks'));

/** Of a packed tree. @param digest The schema of its digest. */
export const body = (digest: v.GenericSchema<unknown, Digest>) =>
  v.strictObject({ digest, sizeBytes: count, unpackedBytes: count });

/** Of the checkout that a document was made from. */
export const revision = v.strictObject({
  commit: v.pipe(v.string(), v.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a full commit id')),
  clean: v.boolean(),
  ref: v.exactOptional(word),
});

/** Something as it should be, or what is wrong with it, as one clause. */
export type Checked<Value> = { readonly value: Value } | { readonly rejected: string };

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
