import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../src/compile/recipe.ts';
import { type Sharing, sharing } from '../../src/compile/sharing.ts';

const ninja: Step['run'] = ['ninja', '-v', '-j', '@jobs@'];
const rows: readonly {
  readonly name: string;
  readonly step: Step;
  readonly tools?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly named?: boolean;
  readonly expected: Sharing;
}[] = [
  {
    name: 'make 4.3 reads a descriptor',
    step: { group: 'build', run: ['make'] },
    tools: { make: '4.3' },
    expected: { by: 'descriptor' },
  },
  {
    name: 'make 4.4 opens the pipe',
    step: { group: 'check', run: ['make'] },
    tools: { make: '4.4.1' },
    expected: { by: 'fifo', run: ['make'] },
  },
  {
    name: 'make 4.4 where the pipe has no name',
    step: { group: 'build', run: ['make'] },
    tools: { make: '4.4.1' },
    named: false,
    expected: { by: 'descriptor' },
  },
  {
    name: 'whatever runs a make unknown to the lock',
    step: { group: 'build', run: 'sh build.sh' },
    expected: { by: 'descriptor' },
  },
  {
    name: 'configure gets no jobs',
    step: { group: 'configure', run: ['./configure'] },
    tools: { make: '4.4' },
    expected: { by: 'nothing' },
  },
  {
    name: 'nor does install',
    step: { group: 'install', run: ['make', 'install'] },
    tools: { make: '4.4' },
    expected: { by: 'nothing' },
  },
  {
    name: 'ninja 1.11 has a share',
    step: { group: 'build', run: ninja },
    tools: { ninja: '1.11.1' },
    expected: { by: 'share' },
  },
  {
    name: 'ninja 1.13 joins, and is given no number',
    step: { group: 'build', run: ninja },
    tools: { ninja: '1.13.0' },
    expected: { by: 'fifo', run: ['ninja', '-v'] },
  },
  {
    name: 'ninja 1.13, number in one word',
    step: { group: 'build', run: ['ninja', '-j@jobs@', 'all'] },
    tools: { ninja: '1.13.0' },
    expected: { by: 'fifo', run: ['ninja', 'all'] },
  },
  {
    name: 'ninja 1.13 where the pipe has no name',
    step: { group: 'build', run: ninja },
    tools: { ninja: '1.13.0' },
    named: false,
    expected: { by: 'share' },
  },
  {
    name: 'a number asked for by a step of any group',
    step: { group: 'install', run: 'tool --jobs=@jobs@' },
    tools: { make: '4.4' },
    expected: { by: 'share' },
  },
  {
    name: 'a number asked for by the environment',
    step: { group: 'build', run: ['pip', 'wheel'] },
    environment: { MAX: '@jobs@' },
    expected: { by: 'share' },
  },
  {
    name: 'that means nothing to install',
    step: { group: 'install', run: ['cp'] },
    environment: { MAX: '@jobs@' },
    expected: { by: 'nothing' },
  },
];
for (const { name, step, tools = {}, environment = {}, named = true, expected } of rows)
  test(`sharing(): ${name}`, () => assert.deepEqual(sharing(step, { tools, environment, named }), expected));
