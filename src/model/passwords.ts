/** Keeps what opens a door out of all that is shown or kept: of a URL with a password everybody may read the rest (pure). */

/** `//user:password@`, up to the last `@` before the path, as URLs are read. */
const withPassword = /:\/\/([^\s/?#"@:]*):[^\s/?#"]*@/g;
/** Over http a name alone is a token more often than a name. */
const withToken = /\b(https?:\/\/)(?!…@)[^\s/?#"@:]+@/gi;

/** The text with `…` in the place of each password of a URL. */
export const withoutPasswords = (text: string): string =>
  text.includes('@') ? text.replaceAll(withPassword, '://$1:…@').replaceAll(withToken, '$1…@') : text;

/** JSON data with all its texts like that; names of fields stay. */
export function dataWithoutPasswords<Data>(data: Data): Data {
  if (typeof data === 'string') return withoutPasswords(data) as Data;
  if (Array.isArray(data)) return data.map((one: unknown) => dataWithoutPasswords(one)) as Data;
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, dataWithoutPasswords(value)])) as Data;
}
