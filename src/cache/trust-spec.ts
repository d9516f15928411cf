/** How a Buildfile says whose artifacts are accepted, and what must be said of them; mistakes in it are `buildfile-invalid` (`usage` in a file of `--trust`). */

/** A key whose signatures are accepted. */
export interface TrustedKey {
  /** How messages call it. */
  readonly name: string;
  /** One line of base64, as `minisign` and the command `key new` print it. */
  readonly publicKey: string;
  /** What its holder may call itself when it builds, such as `ci`. Several keys may have one role, while one takes the place of another. */
  readonly role: string;
}

/** What a manifest must state, beside being signed by a trusted key. */
export interface TrustRequirement {
  /** The role of the key that signed. */
  readonly builder?: string;
  /** The branch (`main`), or the full name of another ref, whose Buildfile it was built from, with nothing modified. */
  readonly ref?: string;
}

/**
 * What does not satisfy it counts as `rejected`, and is built from source. A push without the secret key of one of the keys ends with
 * `signing-key` before anything is built; a release that does not satisfy it is `release-refused`.
 */
export interface TrustOptions {
  /** Asked for in this order: put the one in use first. */
  readonly keys: readonly TrustedKey[];
  /** What a manifest must state beside its signature; nothing when not given. */
  readonly require?: TrustRequirement;
}
