/** Digests and content keys as types of their own, so that a string is never taken for one. */
import { hash } from 'node:crypto';

/** SHA-256 of given bytes, 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly __digest: true };

/** SHA-256 of a package's key text: names an artifact from its inputs. Same spelling as a digest. */
export type ContentKey = string & { readonly __contentKey: true };

/** SHA-256 of a key text with trees in place of dependencies, see `artifact/equal.ts`. Same spelling as a digest. */
export type EqualKey = string & { readonly __equalKey: true };

/** SHA-256 of a small text (UTF-8) or buffer held in memory. */
export const digestOf = (bytes: string | Uint8Array): Digest => hash('sha256', bytes, 'hex') as Digest;

/** Whether a string is spelt as a digest. */
export const isDigest = (text: string): text is Digest => /^[0-9a-f]{64}$/.test(text);
