/** Named fields → readable text → content key, and what differs between two such texts (pure). */
import { type ContentKey, digestOf } from '../model/digest.ts';
import type { Reason } from '../model/event.ts';

/** Begins the name of the field that holds the content key of a dependency. */
export const dependencyPrefix = 'dependency.';

/** One input of a package by name, such as `['step.02.build', '…']`; values are text of any length. */
export type Field = readonly [name: string, value: string];

/**
 * The key text: one JSON pair per line, in code-unit order of the names, which must be unique.
 * JSON gives every name and value a boundary, so that no two different sets of fields share a text.
 */
export function keyText(fields: readonly Field[]): string {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [at, [name]] of sorted.entries()) {
    if (name === sorted[at + 1]?.[0]) throw new Error(`Two key fields are named ${name}`);
  }
  return sorted.map((field) => `${JSON.stringify(field)}\n`).join('');
}

/** SHA-256 of a key text: the name of the artifact that these inputs make. */
export const contentKey = (text: string): ContentKey => digestOf(text) as string as ContentKey;

/** The fields of a key text, in its order. The text is one that `keyText` wrote. */
export const parseKeyText = (text: string): Field[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Field);

export const areFields = (data: unknown): data is Field[] =>
  Array.isArray(data) &&
  data.every(
    (field) => Array.isArray(field) && field.length === 2 && field.every((part: unknown) => typeof part === 'string'),
  );

/** Whether a text that anybody may have written is one that `keyText` writes. */
export function isKeyText(text: string): boolean {
  try {
    const fields: unknown = parseKeyText(text);
    return areFields(fields) && keyText(fields) === text;
  } catch {
    return false;
  }
}

/** Every field that was added, dropped or changed between two sets, in the order of `now`, dropped ones last. */
export function differences(before: readonly Field[], now: readonly Field[]): Reason[] {
  const old = new Map(before);
  const names = new Set(now.map(([name]) => name));
  return [
    ...now.flatMap(([input, value]): Reason[] => {
      const was = old.get(input);
      if (was === value) return [];
      return [was === undefined ? { input, now: value } : { input, before: was, now: value }];
    }),
    ...before.flatMap(([input, value]): Reason[] => (names.has(input) ? [] : [{ input, before: value }])),
  ];
}

/** JSON with the keys of every object in code-unit order: equal data gives equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, content]) => content !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, content]) => `${JSON.stringify(key)}:${canonicalJson(content)}`).join(',')}}`;
}
