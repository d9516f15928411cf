/** The JSON Schemas that are shipped, made strict: here a field that no schema names is a mistake, to users it is one that is new. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { checkout } from './vbuild.ts';

interface Schema {
  readonly [keyword: string]: unknown;
}

export const schemaNames: readonly string[] = globSync('*.json', { cwd: join(checkout, 'schemas') })
  .map((file) => basename(file, '.json'))
  .sort();

export const readSchema = (name: string): Schema =>
  JSON.parse(readFileSync(join(checkout, 'schemas', `${name}.json`), 'utf8')) as Schema;

/** Every object with named fields has no others; one that several alternatives complete is closed around all of them. */
function strict(schema: unknown, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => strict(one, isPart));
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = schema as Schema;
  const has = (word: string): boolean => Object.hasOwn(all, word);
  const closed = isPart || has('additionalProperties') || !has('properties') ? {} : { unevaluatedProperties: false };
  const inner = Object.entries(all).map(([word, value]): [string, unknown] => {
    if (word === 'properties' || word === '$defs')
      return [word, Object.fromEntries(Object.entries(value as Schema).map(([name, one]) => [name, strict(one)]))];
    if (word === 'oneOf') return [word, strict(value, has('properties'))];
    return ['items', 'anyOf', 'additionalProperties'].includes(word) ? [word, strict(value)] : [word, value];
  });
  return { ...Object.fromEntries(inner), ...closed };
}

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false });
for (const name of schemaNames) ajv.addSchema(strict(readSchema(name)) as object);

/** The types of events that have a schema. */
export const eventTypes: readonly string[] = (
  readSchema('event')['oneOf'] as readonly { readonly properties: { readonly type: { readonly const: string } } }[]
).map(({ properties }) => properties.type.const);

/** What is wrong with a value by a schema; nothing when it is as it should be. */
export function complaints(name: string, value: unknown): string[] {
  const validate: ValidateFunction | undefined = ajv.getSchema(`${name}.json`);
  if (validate === undefined) return [`there is no schema ${name}`];
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${name}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** The schema of what a command prints beside events; some print nothing else. */
export const schemaOf = (command: string): string =>
  ['build', 'install'].includes(command) ? 'event' : command.replaceAll(' ', '-');
