/** Every command and every event has a JSON Schema, and there are no others. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandTable, type OptionRow, optionTable } from '../src/commands/command-table.ts';
import { jsonReporter, unprinted } from '../src/report/json.ts';
import { badRun, goodRun, recorded } from './support/report.ts';
import { complaints, eventTypes, schemaNames, schemaOf } from './support/schemas.ts';
import { checkout } from './support/vbuild.ts';

/** What these print is another program's, or is one. */
const withoutJson: readonly string[] = ['completion', 'exec', 'shell'];

const withJson = optionTable.filter(({ name }) => name === 'json').flatMap(({ commands }: OptionRow) => commands);

test('every command takes --json, save those that hand over to another program', () => {
  const names = commandTable.map(({ name }) => name);
  assert.deepEqual(names.filter((name) => !withJson.includes(name)).sort(), withoutJson);
});

test('every command with --json has a schema in schemas/, and every schema a command', () => {
  const wanted = new Set(['common', ...withJson.map(schemaOf)]);
  assert.deepEqual(schemaNames, [...wanted].sort());
});

test('every type of event that is printed has a schema, and every such schema a type', () => {
  const source = readFileSync(join(checkout, 'src/model/event.ts'), 'utf8');
  const types = [...source.matchAll(/readonly type: '([a-z-]+)'/g)]
    .map(([, type = '']) => type)
    .filter((type) => !(unprinted as readonly string[]).includes(type));
  assert.ok(types.length > 10);
  assert.deepEqual([...eventTypes].sort(), ['error', ...types].sort());
});

test('every event is as its schema says', () => {
  const record = recorded({ json: true });
  const reporter = jsonReporter(record);
  for (const event of [...goodRun, ...badRun]) reporter.event(event);
  reporter.error(new Error('a bug'));
  reporter.end();
  const lines = record.stdout.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly type: string });
  assert.deepEqual(
    lines.flatMap((line) => complaints('event', line)),
    [],
  );
  assert.deepEqual(
    [...new Set(lines.map(({ type }) => type))].sort(),
    [...eventTypes].sort(),
    'a sample run lacks a type of event',
  );
});

test('a document with a field that no schema names, or without one that it must have, is complained of', () => {
  const good = { format: 1, vbuild: '0.1.0', node: 'v24.0.0' };
  assert.deepEqual(complaints('version', good), []);
  assert.match(complaints('version', { ...good, more: 1 }).join(), /version must NOT have unevaluated properties/);
  assert.match(complaints('version', { format: 1, node: '' }).join(), /must have required property 'vbuild'/);
  const event = { format: 1, atMs: 0, type: 'pushed', package: 'a@1', tier: 'x', sizeBytes: 1 };
  assert.deepEqual(complaints('event', event), []);
  assert.notDeepEqual(complaints('event', { ...event, more: 1 }), []);
  assert.notDeepEqual(complaints('event', { ...event, type: 'pulled' }), []);
});
