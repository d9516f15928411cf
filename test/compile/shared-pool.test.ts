/** The pool of jobs as steps reach it: by name through the folder that they see, where their tools know how. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { standardEnvironment } from '../../src/compile/environment.ts';
import { runSteps } from '../../src/compile/run-steps.ts';
import { steps } from '../../src/compile/steps.ts';
import { startJobserver } from '../../src/system/jobserver.ts';
import { findNamespace, mountPoint, type Namespace } from '../../src/system/namespace.ts';
import { tempDir } from '../support/temp.ts';

/** Does what a make that opens the pool by name does: takes every token there is, and gives them back. */
const client = `set -- $MAKEFLAGS; pool=\${2#--jobserver-auth=fifo:}; exec 9<>"$pool"; tokens=
while read -r -n1 -t 0.2 token <&9; do tokens=$tokens$token; done; echo "took <$tokens>"; printf %s "$tokens" >&9`;

for (const bound of [true, false]) {
  test(`a tool that opens the pool by name finds it ${bound ? 'in a namespace' : 'without one'}, and all tokens come back`, async (t) => {
    const host = tempDir(t);
    const root = bound ? join(mountPoint, 'test/root') : host;
    const namespace: Namespace | undefined = bound ? await findNamespace(host, root) : undefined;
    if (bound && namespace === undefined) return t.skip('this machine forbids mount namespaces');
    for (const folder of ['tree', 'prefix']) mkdirSync(join(host, folder));
    using jobserver = await startJobserver(tempDir(t), 4);
    await jobserver.take(new AbortController().signal);
    const recipe = steps([
      { group: 'build', run: client },
      { group: 'build', run: 'echo "share @jobs@, free now $(timeout 0.2 head -c9 <&3 | wc -c)"' },
    ]);
    await runSteps({
      steps: recipe.steps,
      environment: standardEnvironment(recipe),
      places: { root, tree: `${root}/tree`, prefix: `${root}/prefix`, stage: `${root}/stage` },
      ...(namespace !== undefined && { binding: { namespace, host, seen: root } }),
      log: join(host, 'log'),
      emit: () => {},
      package: 'probe@1',
      signal: new AbortController().signal,
      jobs: 4,
      jobserver,
      tools: { make: '4.4.1' },
    });
    const log = readFileSync(join(host, 'log'), 'utf8');
    assert.match(log, /^took <\+\+\+>$/m);
    assert.match(log, /^share 4, free now 0$/m);
    assert.equal(jobserver.takeFree(9), 3);
  });
}
