/** Shows a value of any type in a few words, for the fact `found` of an error (pure). */

import { withoutPasswords } from '../model/passwords.ts';

/** Such as `"1.2"`, `a number (3)`, `a list of 2`, `an object with name, deps`, `undefined`; at most about 60 letters. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return cut(JSON.stringify(value));
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'symbol':
      return `a ${typeof value} (${cut(value.toString())})`;
    case 'function':
      return value.name === '' ? 'a function' : `a function (${cut(value.name)})`;
    case 'object':
      return object(value);
    default:
      return 'undefined';
  }
}

function object(value: object | null): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (value instanceof Promise) return 'a promise (await is missing)';
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an empty object' : cut(`an object with ${keys.join(', ')}`);
}

/** A text of so many letters at most; a password goes first, as a cut could hide that it is one. */
export function cut(text: string, letters = 60): string {
  const shown = withoutPasswords(text);
  return shown.length <= letters ? shown : `${shown.slice(0, letters - 1)}…`;
}
