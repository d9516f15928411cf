/** What is wrong with a bill of materials, by the schema that the CycloneDX project publishes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

const library = dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json'));
const schema = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(library, 'res/schema', `${name}.SNAPSHOT.schema.json`), 'utf8')) as Record<
    string,
    unknown
  >;

/** @returns One line for each mistake. */
export function cycloneDxProblems(document: unknown): string[] {
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  // ajv-formats has none for international addresses; those of the plain ones are a part of them.
  ajv.addFormat('iri-reference', /^[^\s<>"{}|\\^`]*$/);
  ajv.addFormat('idn-email', /^\S+@\S+$/);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    // They are referred to by the names of the files, which are not those that they give themselves.
    const { $id: _, ...rest } = schema(name);
    ajv.addSchema(rest, `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(schema('bom-1.6'));
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
