/** A source in one line (pure). */
import type { SourceSpec } from '../sources/index.ts';

export function sourceText(source: SourceSpec): string {
  const { kind, ...options } = source;
  const words = Object.entries(options).map(([name, value]) => {
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
    const text = isList ? value.join(' or ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
    return ['name', 'url', 'from', 'path'].includes(name) ? text : `${name}=${text}`;
  });
  return [kind, ...words].join(' ');
}
