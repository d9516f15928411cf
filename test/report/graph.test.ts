/** A graph as a tree and as pictures. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { ContentKey } from '../../src/model/digest.ts';
import { type GraphPackage, type PackageGraph, standings } from '../../src/model/graph.ts';
import { graphDot, graphMermaid } from '../../src/report/graph-code.ts';
import { graphSvg } from '../../src/report/graph-svg.ts';
import { graphText } from '../../src/report/graph-text.ts';

const key = 'a'.repeat(64) as ContentKey;

function one(id: string, standing: GraphPackage['standing'], more: Partial<GraphPackage> = {}): GraphPackage {
  return { package: id, standing, key, deps: [], buildDeps: [], everReady: true, changed: [], follows: [], ...more };
}

const sample: PackageGraph = {
  roots: ['site@2', 'alone@1'],
  packages: [
    one('zlib@1.3', 'stale', {
      changed: [
        { input: 'patch.001', before: 'x', now: 'y' },
        { input: 'env.CFLAGS', now: '-O3' },
        { input: 'tool.cc', before: 'gcc 12' },
      ],
    }),
    one('png@1.6', 'failed', { deps: ['zlib@1.3'], follows: ['zlib@1.3'], failedIn: 'compile' }),
    one('gen@0.1', 'cached', { deps: ['zlib@1.3'] }),
    one('new@1', 'stale', { everReady: false }),
    one('site@2', 'stale', { deps: ['png@1.6', 'new@1'], buildDeps: ['gen@0.1', 'png@1.6'], follows: ['png@1.6'] }),
    one('alone@1', 'fresh'),
    one('open@1', 'unpinned'),
  ],
};

test('graphText() unfolds each package once, and says of each where it stands and why', () => {
  assert.equal(
    graphText(sample),
    `site@2          stale              follows png
├─ png@1.6      failed in compile  follows zlib
│  └─ zlib@1.3  stale              patch 1 changed and 2 more
├─ new@1        stale              never made ready here
└─ gen@0.1      cached             only to build
   └─ zlib@1.3  stale              patch 1 changed and 2 more
alone@1         fresh
`,
  );
  const twice: PackageGraph = {
    roots: ['a@1', 'b@1'],
    packages: [one('c@1', 'fresh'), one('b@1', 'fresh', { deps: ['c@1'] }), one('a@1', 'fresh', { deps: ['b@1'] })],
  };
  assert.match(graphText(twice), /^b@1 +fresh +see above$/m);
});

test('graphDot() and graphMermaid() name each package and each need once, whatever a version holds', () => {
  const odd: PackageGraph = {
    roots: ['b@1'],
    packages: [one('a@1"<x>\\', 'failed'), one('b@1', 'fresh', { buildDeps: ['a@1"<x>\\'] })],
  };
  assert.match(graphDot(odd), /^ {2}"a@1\\"<x>\\\\" \[label="a@1\\"<x>\\\\\\nfailed" shape=octagon/m);
  assert.match(graphDot(odd), /^ {2}"b@1" -> "a@1\\"<x>\\\\" \[style=dashed\];$/m);
  assert.match(graphMermaid(odd), /^ {2}p0\{\{"a@1#34;#60;x#62;\\<br>failed"\}\}:::failed$/m);
  assert.match(graphMermaid(odd), /^ {2}p1 -\.-> p0$/m);
  assert.equal(graphDot(sample).match(/ -> /g)?.length, 5);
  assert.equal(graphMermaid(sample).match(/ -\.?->? ?/g)?.length, 5);
});

interface Drawn {
  readonly objects: readonly { readonly name: string; readonly label: string; readonly shape: string }[];
  readonly edges: readonly { readonly tail: number; readonly head: number; readonly style?: string }[];
}

test('graphDot() is read by Graphviz as the packages and needs that there are', () => {
  const all: PackageGraph = {
    roots: [],
    packages: standings.map((standing, at) => one(`p${at}@1"<{|&é`, standing, { failedIn: 'pack' })),
  };
  for (const graph of [sample, all]) {
    const { status, stdout, stderr } = spawnSync('dot', ['-Tjson'], { input: graphDot(graph), encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    const { objects, edges = [] } = JSON.parse(stdout) as Partial<Drawn> & Pick<Drawn, 'objects'>;
    assert.deepEqual(
      objects.map(({ name }) => name),
      graph.packages.map((each) => each.package),
    );
    const expected = graph.packages.flatMap((each) => [
      ...each.deps.map((need) => `${each.package} ${need}`),
      ...each.buildDeps.filter((need) => !each.deps.includes(need)).map((need) => `${each.package} ${need} dashed`),
    ]);
    const drawn = edges.map(({ tail, head, style }) =>
      [objects[tail]?.name, objects[head]?.name, ...(style === undefined ? [] : [style])].join(' '),
    );
    assert.deepEqual(drawn.sort(), expected.sort());
  }
});

test('graphSvg() is well-formed, and tells standings apart by outline, sign and word', () => {
  const svg = graphSvg({
    roots: [],
    packages: standings.map((standing, at) => one(`p${at}@1<&"'>`, standing)),
  });
  const script = 'import sys, xml.etree.ElementTree as t\nprint(len(t.parse(sys.stdin).findall(".//{*}title")))';
  const parsed = spawnSync('python3', ['-c', script], { input: svg, encoding: 'utf8' });
  assert.equal(parsed.stdout.trim(), String(1 + standings.length), parsed.stderr);
  const shapes = standings.map((standing) => {
    const [, body = ''] =
      new RegExp(`<g class="vg-${standing}" transform[^>]*><title>[^<]*</title>\n([\\s\\S]*?)</text></g>`).exec(svg) ??
      [];
    assert.match(body, new RegExp(`>${standing}(<|$)`), `${standing} is not written out`);
    const dashes = new RegExp(`^\\.vg-${standing} \\.vg-shape .*$`, 'm').exec(svg)?.[0].replace(standing, '') ?? '';
    return { outline: `${body.split('\n')[0]} ${dashes}`, sign: body.split('\n')[1] };
  });
  assert.equal(new Set(shapes.map(({ outline }) => outline)).size, standings.length);
  assert.equal(new Set(shapes.map(({ sign }) => sign)).size, standings.length);
});
