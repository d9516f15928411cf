/** Keeps what opens a door out of all that is shown or kept: of a URL with a password everybody may read the rest (pure). */

/** `//user:password@`, up to the last `@` before the path, as URLs are read. */
const withPassword = /:\/\/([^\s/?#"@:]*):[^\s/?#"]*@/g;
/** Over http a name alone is a token more often than a name. */
const withToken = /\b(https?:\/\/)(?!…@)[^\s/?#"@:]+@/gi;

/** The text with `…` in the place of each password of a URL. */
export const withoutPasswords = (text: string): string =>
  text.includes('@') ? text.replaceAll(withPassword, '://$1:…@').replaceAll(withToken, '$1…@') : text;

/** The text with nothing in any URL of whoever it is opened for: neither name nor password. */
export const shown = (text: string): string => text.replaceAll(/(:\/\/)[^/@\s]*@/g, '$1');

/** JSON data with all its texts without passwords; names of fields stay. */
export const dataWithoutPasswords = <Data>(data: Data): Data => withTexts(data, withoutPasswords);

/** Scheme, user, password and host. */
const authority = /\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#"]*@[^\s/?#"]*/gi;

/** Such data with the passwords that other data has for the same user of the same host, such as an earlier version of a source from a later one. */
export function withPasswordsOf<Data>(data: Data, other: unknown): Data {
  const known = new Map<string, string>();
  withTexts(other, (text) => text.replaceAll(authority, (one) => (known.set(withoutPasswords(one), one), one)));
  return withTexts(data, (text) => text.replaceAll(authority, (one) => known.get(one) ?? one));
}

function withTexts<Data>(data: Data, change: (text: string) => string): Data {
  if (typeof data === 'string') return change(data) as Data;
  if (Array.isArray(data)) return data.map((one: unknown) => withTexts(one, change)) as Data;
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, withTexts(value, change)])) as Data;
}
