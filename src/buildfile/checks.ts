/** The few shapes that an option of a Buildfile can have, each a check that lists what is wrong with a value of any type (pure). */
import { inspect } from 'node:util';
import type { VbuildError } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';
import { cut, describe } from './describe.ts';

/** One mistake; the caller adds whose it is and where it stands. */
export interface Mistake {
  readonly headline: string;
  /** `option` first, with the way into it, such as `patches[2].strip`; then `expected` and `found`. */
  readonly facts: VbuildError['facts'];
  readonly mend: string;
}

/**
 * Lists every mistake in a value.
 *
 * @param value  What the author wrote, of any type.
 * @param option The option, with the way into it.
 */
export type Check = (value: unknown, option: string) => readonly Mistake[];

/** A value that is not what the option takes. */
export const wrong = (
  option: string,
  expected: string,
  value: unknown,
  mend = `give ${option} as expected`,
): Mistake[] => [{ headline: 'Option has a wrong value', facts: { option, expected, found: describe(value) }, mend }];

/** Another folder's way to say what is wrong with its own slice of the Buildfile: a clause, or the rows of the report. */
type Clause = string | { readonly expected: string; readonly found: string; readonly mend?: string };

export const fromClauses = (option: string, clauses: readonly Clause[], value: unknown): Mistake[] =>
  clauses.map((clause) => {
    const { expected, found, mend }: Exclude<Clause, string> =
      typeof clause === 'string'
        ? { expected: clause, found: inspect(value, { depth: 1, breakLength: Infinity }) }
        : clause;
    return {
      headline: 'Option has a wrong value',
      facts: { option, expected, found: cut(found, 100) },
      mend: mend ?? `correct ${option}`,
    };
  });

export const flag: Check = (value, option) => (typeof value === 'boolean' ? [] : wrong(option, 'true or false', value));

/** A text that is not empty and that a program can be given. */
export const text =
  (expected: string): Check =>
  (value, option) =>
    typeof value === 'string' && value !== '' && !value.includes('\0') ? [] : wrong(option, expected, value);

/** A text of a given spelling. */
export const spelt =
  (spelling: RegExp, expected: string): Check =>
  (value, option) =>
    typeof value === 'string' && spelling.test(value) ? [] : wrong(option, expected, value);

/** One of a few names, with a suggestion for a near miss. */
export const oneOf =
  (names: readonly string[]): Check =>
  (value, option) => {
    if (typeof value === 'string' && names.includes(value)) return [];
    const meant = typeof value === 'string' ? nearest(value, names) : undefined;
    return wrong(option, `one of ${names.join(', ')}`, value, meant && `write '${meant}'`);
  };

/** A list, each element of which passes a check. */
export const listOf =
  (expected: string, check: Check): Check =>
  (value, option) =>
    Array.isArray(value) ? elements(value, option, check) : wrong(option, expected, value);

/** Runs a check over every element, holes of the list included. */
export const elements = (list: readonly unknown[], option: string, check: Check): Mistake[] =>
  Array.from(list, (element, at) => check(element, `${option}[${at}]`)).flat();

/** A list that names nothing twice. */
export const each =
  (expected: string, check: Check): Check =>
  (value, option) => {
    const wrongOnes = listOf(expected, check)(value, option);
    if (!Array.isArray(value)) return wrongOnes;
    const twice = new Set(value.filter((one, at) => typeof one === 'string' && value.indexOf(one) !== at));
    return [
      ...wrongOnes,
      ...[...twice].flatMap((one) => wrong(option, 'a list that names nothing twice', one, `name ${String(one)} once`)),
    ];
  };

/** An object with known options; the checks run on those that are given. */
export const record =
  (expected: string, options: Readonly<Record<string, Check>>, required: readonly string[]): Check =>
  (value, option) => {
    if (!isRecord(value)) return wrong(option || 'options', expected, value);
    const path = option === '' ? '' : `${option}.`;
    const given = Object.keys(value);
    return [
      ...unknownOptions(value, Object.keys(options), path),
      ...required
        .filter((name) => value[name] === undefined)
        .map(
          (name): Mistake => ({
            headline: 'Option is missing',
            facts: {
              option: path + name,
              expected,
              found: given.length > 0 ? `only ${given.join(', ')}` : 'no options',
            },
            mend: `add ${name}`,
          }),
        ),
      ...Object.entries(options).flatMap(([name, check]) =>
        value[name] === undefined ? [] : check(value[name], path + name),
      ),
    ];
  };

/** What an object holds beside the options that are known. @param path The way to it, with what parts it from the name of an option. */
export const unknownOptions = (given: object, known: readonly string[], path: string): Mistake[] =>
  Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      return {
        headline: 'Option is unknown',
        facts: { option: path + name, expected: `one of ${known.join(', ')}` },
        mend: meant ? `write ${meant}` : 'leave it out',
      };
    });

/** An object that is neither a list nor a promise whose `await` was forgotten. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise);
