/** docs/explain.md, command by command: on one machine, and on two that share a bucket. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { insistOnSuccess } from '../support/events.ts';
import { skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import type { Tree } from '../support/temp.ts';
import { checkout, runProgram, type Workspace, workspace } from '../support/vbuild.ts';

/** What differs from machine to machine, and from minute to minute, in one spelling. */
const settled = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{12}…|\b[0-9a-f]{64}\b/g, 'DIGEST…')
    .replace(/\b\d+(\.\d)? s\b|\b\d+ min( \d+ s)?/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'DATE')
    .replace(/with \d+ jobs?/g, 'with N jobs')
    .replace(/ +/g, ' ');

/** The project of the page. @param rest What else its Buildfile says of the build. */
const shop = (rest = ''): Tree => ({
  'zlib/zlib.h': '#define ZLIB_VERSION "1.3.1"\n',
  'zlib/README': 'zlib is a library.\n',
  'libpng/png.h': '#include <zlib.h>\n#define PNG_VERSION "1.6.44"\n',
  'pil/imaging.c': '#include <png.h>\n\nconst char *versions = PNG_VERSION " with zlib " ZLIB_VERSION;\n',
  'patches/zlib/0001-name.patch': `--- a/zlib.h
+++ b/zlib.h
@@ -1,1 +1,2 @@
 #define ZLIB_VERSION "1.3.1"
+#define ZLIB_SITE "ours"
`,
  'Buildfile.ts': `import { defineBuild, definePackage, directory, place, s3, steps } from 'vbuild';

const install = (file: string, folder: string) =>
  ({ group: 'install', run: ['install', '-D', '-t', \`\${place.stage}\${place.prefix}/\${folder}\`, file] }) as const;
const zlib = definePackage('zlib', {
  version: '1.3.1',
  source: directory('zlib'),
  patches: 'patches/zlib',
  recipe: steps([install('zlib.h', 'include')]),
});
const libpng = definePackage('libpng', {
  version: '1.6.44',
  source: directory('libpng'),
  deps: [zlib],
  recipe: steps([install('png.h', 'include')]),
});
const pil = definePackage('pil', {
  version: '11.0.0',
  source: directory('pil'),
  deps: [libpng],
  recipe: steps([{ group: 'build', run: 'cc $CPPFLAGS -c imaging.c' }, install('imaging.o', 'lib')], { tools: ['cc'] }),
});
export default defineBuild({ packages: [zlib, libpng, pil], defaults: [pil]${rest} });
`,
});

test('docs/explain.md shows what its commands print', { skip: skipWithoutS3 }, async (t) => {
  const page = readFileSync(join(checkout, 'docs/explain.md'), 'utf8');
  const blocks = [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const server = await startS3Server();
  t.after(() => server.close());
  const bucket = await server.bucket({ who: 'reader', may: 'list and get' });
  const site = workspace(t, shop());
  insistOnSuccess(await site.run([]));
  // The machines of the page, by what stands before the $ of their shells; one clone of a repository each.
  const ci = workspace(t, shop(`, cache: [s3({ bucket: '${bucket}' })]`));
  insistOnSuccess(await ci.run(['lock']));
  checkIn(ci.path);
  const far = workspace(t, {});
  insistOnSuccess(await runProgram(['git', 'clone', '--quiet', ci.path, '.'], { cwd: far.path, home: far.home }));
  const endpoint = { AWS_ENDPOINT_URL_S3: server.endpoint };
  const machines: Readonly<Record<string, readonly [Workspace, Readonly<Record<string, string>>]>> = {
    '': [site, {}],
    ci: [ci, { ...server.owner, ...endpoint }],
    server: [far, { ...server.reader, ...endpoint }],
  };
  assert.ok(blocks.length >= 9, `${blocks.length} blocks`);
  for (const block of blocks) {
    const [, ...parts] = block.split(/^(\w*)\$ /m);
    for (let n = 0; n < parts.length; n += 2) {
      const [machine = '', part = ''] = parts.slice(n);
      const [command = '', ...lines] = part.split('\n');
      const [at, own] = machines[machine] ?? assert.fail(machine);
      const env = { ...own, PATH: `${join(checkout, 'bin')}:${process.env['PATH']}` };
      const ended = await runProgram(['sh', '-c', `{ ${command}; } 2>&1`], { cwd: at.path, home: at.home, env });
      const said = ended.stdout.replaceAll(at.path, '/srv/shop').replaceAll(bucket, 'shop-vendor');
      assert.equal(settled(said), settled(lines.join('\n')), `${machine}$ ${command}`);
      assert.equal(ended.exitStatus === 0, !/^error: |^pil not ready/m.test(said), command);
    }
  }
});
