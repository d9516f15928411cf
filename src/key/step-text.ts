/** The value of a field as people read it (pure). */
import { quoted } from '../model/quoted.ts';

/** A step as a person would type it; other values as they are. @param input The name of the field. */
export function readable(input: string, text: string): string {
  if (!input.startsWith('step.')) return text;
  const parsed = JSON.parse(text) as string | string[] | { readonly run: string | string[]; readonly in: string };
  const step = typeof parsed === 'string' || Array.isArray(parsed) ? { run: parsed, in: undefined } : parsed;
  const command = typeof step.run === 'string' ? step.run : step.run.map(quoted).join(' ');
  return step.in === undefined ? command : `(in ${step.in}) ${command}`;
}
