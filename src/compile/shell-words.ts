/** Texts with places in them as words of a POSIX shell, whose variables bear the names of the places (pure). */
import { quoted } from '../model/quoted.ts';

const symbol = /@(prefix|stage|tree|root|python|jobs)@/;

/** The word itself, in single quotes where it holds no place, else in double ones with `$prefix` and the like in it. */
export function shellWord(text: string): string {
  if (!symbol.test(text)) return quoted(text);
  const parts = text.split(new RegExp(symbol, 'g'));
  const inside = parts.map((part, at) => (at % 2 === 1 ? variable(part, parts[at + 1]) : escaped(part))).join('');
  return `"${inside}"`;
}

/** Braces only where what follows would be taken for a part of the name. */
const variable = (name: string, next = ''): string => (/^\w/.test(next) ? `\${${name}}` : `$${name}`);

const escaped = (text: string): string => text.replaceAll(/[\\$"`]/g, '\\$&');
