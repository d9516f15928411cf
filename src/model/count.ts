/** Numbers of things in words (pure). */

/** `1 package`, `2 packages`; `plural` where an s is not enough. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;

/** The first few of many: `a, b and 3 more`. */
export const firstFew = (items: readonly string[], most: number): string =>
  items.length <= most ? items.join(', ') : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
