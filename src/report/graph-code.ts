/** A graph of packages in the languages of drawing programs: Graphviz and Mermaid (pure). Each standing has a shape and a line of its own. */
import { type GraphPackage, needsOf, type PackageGraph, type Standing } from '../model/graph.ts';
import { standingNote, standingWord } from './graph-text.ts';
import { printableLine } from './printable.ts';

const dotLooks: Readonly<Record<Standing, string>> = {
  fresh: 'shape=box style="rounded,filled" fillcolor="#e3f4e6" color="#1a7f37"',
  cached: 'shape=cylinder style=filled fillcolor="#e1effc" color="#0b62ba"',
  stale: 'shape=box style="dashed,filled" fillcolor="#fff4d6" color="#8a5a00" penwidth=1.5',
  failed: 'shape=octagon style=filled fillcolor="#ffe3e0" color="#c21f1f" penwidth=3',
  unpinned: 'shape=box style=dotted color="#59636e"',
};

/** Of one package, one line each: name, where it stands, why. */
const labelLines = (one: GraphPackage): string[] =>
  [one.package, standingWord(one), standingNote(one)].filter((line) => line !== '').map(printableLine);

/** Who needs whom, each pair once. */
const edges = ({ packages }: PackageGraph): { from: string; to: string; forBuild: boolean }[] =>
  packages.flatMap((one) => needsOf(one).map((need) => ({ from: one.package, ...need })));

/** A digraph in which an arrow leads from a package to what it needs; what only its build needs, by a dashed one. */
export function graphDot(graph: PackageGraph): string {
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  const label = (one: GraphPackage): string =>
    `"${labelLines(one)
      .map((line) => quoted(line).slice(1, -1))
      .join('\\n')}"`;
  return [
    'digraph vbuild {',
    '  rankdir=LR;',
    '  node [fontname="sans-serif" fontsize=11 fontcolor="#1f2328"];',
    '  edge [color="#59636e" arrowsize=0.7];',
    ...graph.packages.map((one) => `  ${quoted(one.package)} [label=${label(one)} ${dotLooks[one.standing]}];`),
    ...edges(graph).map(
      ({ from, to, forBuild }) => `  ${quoted(from)} -> ${quoted(to)}${forBuild ? ' [style=dashed]' : ''};`,
    ),
    '}',
    '',
  ].join('\n');
}

const mermaidShapes: Readonly<Record<Standing, readonly [open: string, close: string]>> = {
  fresh: ['(', ')'],
  cached: ['[(', ')]'],
  stale: ['[', ']'],
  failed: ['{{', '}}'],
  unpinned: ['>', ']'],
};

const mermaidLooks: Readonly<Record<Standing, string>> = {
  fresh: 'fill:#e3f4e6,stroke:#1a7f37,color:#1f2328',
  cached: 'fill:#e1effc,stroke:#0b62ba,color:#1f2328',
  stale: 'fill:#fff4d6,stroke:#8a5a00,color:#1f2328,stroke-dasharray:6 4',
  failed: 'fill:#ffe3e0,stroke:#c21f1f,color:#1f2328,stroke-width:3px',
  unpinned: 'fill:#ffffff,stroke:#59636e,color:#1f2328,stroke-dasharray:1 4',
};

/** A flowchart, as GitHub and GitLab draw it inside of Markdown; arrows as in `graphDot`. */
export function graphMermaid(graph: PackageGraph): string {
  // Characters that mean something to Mermaid are written as numbers.
  const text = (line: string): string => line.replaceAll(/["#<>&`;]/g, (one) => `#${one.charCodeAt(0)};`);
  const node = new Map(graph.packages.map((one, at) => [one.package, `p${at}`]));
  const used = [...new Set(graph.packages.map(({ standing }) => standing))];
  return [
    'flowchart LR',
    ...graph.packages.map((one) => {
      const [open, close] = mermaidShapes[one.standing];
      const label = labelLines(one).map(text).join('<br>');
      return `  ${node.get(one.package)}${open}"${label}"${close}:::${one.standing}`;
    }),
    ...edges(graph).map(({ from, to, forBuild }) => `  ${node.get(from)} ${forBuild ? '-.->' : '-->'} ${node.get(to)}`),
    ...used.map((standing) => `  classDef ${standing} ${mermaidLooks[standing]}`),
    '',
  ].join('\n');
}
