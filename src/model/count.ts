/** Numbers of things in words. */

/** `1 package`, `2 packages`; `plural` where an s is not enough. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;
