/** Words as a shell reads them back (pure). */

/** The word itself where it needs no quotes, else in single ones. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9@%+=:,./_-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
