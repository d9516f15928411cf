/** The two halves of `name@version`, by which people and events name a package; neither of them can hold an `@` (pure). */

/** The whole of what has no version. */
export const nameOf = (id: string): string => id.split('@', 1)[0] ?? '';

export const versionOf = (id: string): string => id.slice(nameOf(id).length + 1);
