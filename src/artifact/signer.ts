/** Whose manifest an object is: a part of its name. */

/** The id of the key that signed it, or one of the two names of those that nobody signed. */
export type Signer = string;

/** The signer of what nobody signed. */
export const UNSIGNED: Signer = 'unsigned';
/** The signer of what this very user packed on this machine: only ever on its own disk, and as good as built now. */
export const LOCAL: Signer = 'local';
