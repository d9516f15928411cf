/** The types, the linter's rules and the format, as tests: what they find is a failure like any other. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkout } from './support/vbuild.ts';

const checks: readonly (readonly [title: string, tool: string, args: readonly string[]])[] = [
  ['the compiler finds no type error', 'tsc', ['--noEmit']],
  ['the linter finds nothing', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['every file is formatted (npm run format mends it)', 'biome', ['format', '.']],
];

for (const [title, tool, args] of checks) {
  test(title, () => {
    const { status, stdout, stderr } = spawnSync(join(checkout, 'node_modules/.bin', tool), args, {
      cwd: checkout,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
  });
}

interface LockEntry {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test('package-lock.json lists every optional package, those for other platforms included, as "npm ci" insists', () => {
  const { packages } = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, []);
});
