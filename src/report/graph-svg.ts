/** A graph of packages as a picture of its own, light or dark as the viewer is (pure). */
import { type GraphPackage, needsOf, type PackageGraph, type Standing, standings } from '../model/graph.ts';
import { nameOf, versionOf } from '../model/package-id.ts';
import { standingNote, standingWord } from './graph-text.ts';
import { type Layout, layered, type Placed } from './layered-layout.ts';
import { numberOfEach, shortened } from './words.ts';
import { escapedXml } from './xml.ts';

const margin = 24;
const nodeHeight = 50;
const legendHeight = 40;
/** What a character takes at most in the two sizes of text, in pixels: nobody knows the fonts of the viewer. */
const [largeCharacter, smallCharacter] = [8.2, 6.7];
const mostNote = 36;

/** Drawn in a square of 16 pixels. Every standing has one, so that colour is never the only sign. */
const icons: Readonly<Record<Standing, string>> = {
  fresh: '<path d="M3.5 8.5 6.5 11.5 12.5 4.5"/>',
  cached: '<path d="M3 5.5 8 3l5 2.5v5L8 13l-5-2.5zM3 5.5 8 8l5-2.5M8 8v5"/>',
  stale: '<path d="M12.6 6.2A5 5 0 1 0 13 8.5M13 3v3.4H9.6"/>',
  failed: '<path d="M4 4 12 12M12 4 4 12"/>',
  unpinned: '<path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.3 8.7 8 9 8 9.8M8 12.4v.2"/>',
};

const style = `
.vg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --edge: #8c959f;
  --fresh: #1a7f37; --fresh-fill: #effaf1; --cached: #0b62ba; --cached-fill: #eef6fe; --stale: #8a5a00; --stale-fill: #fff8e5;
  --failed: #c21f1f; --failed-fill: #fff0ee; --unpinned: #59636e; --unpinned-fill: #f6f8fa;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .vg { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --edge: #6e7681;
  --fresh: #4ac26b; --fresh-fill: #12261a; --cached: #6cb6ff; --cached-fill: #10233a; --stale: #e3b341; --stale-fill: #2b2411;
  --failed: #ff7b72; --failed-fill: #361a1a; --unpinned: #9198a1; --unpinned-fill: #161b22; } }
.vg-paper { fill: var(--paper); }
.vg-name { font-size: 13px; font-weight: 600; fill: var(--ink); }
.vg-version, .vg-note { font-weight: 400; fill: var(--soft); }
.vg-word { font-size: 11px; font-weight: 600; fill: var(--tone); }
.vg-shape { fill: var(--tone-fill); stroke: var(--tone); stroke-width: 1.25; }
.vg-icon { fill: none; stroke: var(--tone); stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.vg-edge { fill: none; stroke: var(--edge); stroke-width: 1.25; }
.vg-tip { fill: var(--edge); }
.vg-build { stroke-dasharray: 5 4; }
.vg-follows { --edge: var(--stale); }
.vg-follows .vg-edge { stroke-width: 2.5; }
${standings.map((one) => `.vg-${one} { --tone: var(--${one}); --tone-fill: var(--${one}-fill); }`).join('\n')}
.vg-stale .vg-shape { stroke-dasharray: 6 3; stroke-width: 1.5; }
.vg-failed .vg-shape { stroke-width: 3; }
.vg-unpinned .vg-shape { stroke-dasharray: 1.5 3.5; stroke-linecap: round; stroke-width: 1.75; }
`;

const shortNote = (one: GraphPackage): string => shortened(standingNote(one), mostNote);

const wordWith = (note: string, one: GraphPackage): string => `${standingWord(one)}${note === '' ? '' : `: ${note}`}`;

function widthOf(one: GraphPackage): number {
  const second = wordWith(shortNote(one), one);
  return Math.ceil(54 + Math.max(one.package.length * largeCharacter, second.length * smallCharacter));
}

/** Roots are to the left, and arrows lead from a package to what it needs; dashed ones to what only its build needs. Ends with a line feed. */
export function graphSvg({ packages }: PackageGraph): string {
  const byId = new Map(packages.map((one) => [one.package, one]));
  const nodes = packages.toReversed().map((one) => ({ id: one.package, width: widthOf(one), height: nodeHeight }));
  const edges = packages.flatMap((one) => needsOf(one).map(({ to }) => ({ from: one.package, to })));
  const layout = layered(nodes, edges, { column: 72, row: 18 });
  const legend = legendOf(packages);
  const width = Math.ceil(Math.max(layout.width, legend.width) + 2 * margin);
  const height = Math.ceil(layout.height + 2 * margin + legendHeight);
  const counts = standingsOf(packages).map(([standing, number]) => `${number} ${standing}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="vg" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>Packages and what they need: ${counts.join(', ')}</title>
<style>${style}</style>
<rect class="vg-paper" width="${width}" height="${height}"/>
<g transform="translate(${margin} ${margin})">
${layout.edges.map((edge) => edgeShape(edge, byId.get(edge.from))).join('\n')}
${layout.nodes.map((placed) => nodeShape(placed, byId.get(placed.id))).join('\n')}
<g transform="translate(0 ${layout.height + margin})">${legend.shapes}</g>
</g>
</svg>
`;
}

function nodeShape({ x, y, width, height }: Placed, one: GraphPackage | undefined): string {
  if (one === undefined) return '';
  const [name, version] = [nameOf(one.package), `@${versionOf(one.package)}`].map(escapedXml);
  const full = wordWith(standingNote(one), one);
  const note = shortNote(one);
  const why = note === '' ? '' : `<tspan class="vg-note">: ${escapedXml(note)}</tspan>`;
  return `<g class="vg-${one.standing}" transform="translate(${round(x)} ${round(y)})"><title>${escapedXml(`${one.package}, ${full}`)}</title>
${outline(one.standing, width, height)}
<g class="vg-icon" transform="translate(12 ${height / 2 - 8})">${icons[one.standing]}</g>
<text x="38" y="21" class="vg-name">${name}<tspan class="vg-version">${version}</tspan></text>
<text x="38" y="38" class="vg-word">${escapedXml(standingWord(one))}${why}</text></g>`;
}

/** Round, stacked, square and dashed, cut corners, dotted. */
function outline(standing: Standing, width: number, height: number): string {
  const box = (rounding: number, by = 0): string =>
    `<rect class="vg-shape" x="${by}" y="${by}" width="${width}" height="${height}" rx="${rounding}"/>`;
  switch (standing) {
    case 'fresh':
      return box(height / 2.6);
    case 'cached':
      return box(6, 4) + box(6);
    case 'stale':
      return box(4);
    case 'failed': {
      const [cut, w, h] = [9, width, height];
      return `<path class="vg-shape" d="M${cut} 0H${w - cut}L${w} ${cut}V${h - cut}L${w - cut} ${h}H${cut}L0 ${h - cut}V${cut}Z"/>`;
    }
    case 'unpinned':
      return box(12);
    default:
      return standing satisfies never;
  }
}

/** A curve that leaves and reaches every point level, with a tip that is drawn here: markers do not take the colour of their line. */
function edgeShape({ to, points }: Layout['edges'][number], from: GraphPackage | undefined): string {
  const [start, ...rest] = points;
  const end = rest.at(-1);
  if (start === undefined || end === undefined || from === undefined) return '';
  const tip = 7;
  let path = `M${round(start[0])} ${round(start[1])}`;
  let [x, y] = start;
  for (const point of rest) {
    const nextX = point === end ? point[0] - tip : point[0];
    const bend = (nextX - x) / 2;
    path += `C${round(x + bend)} ${round(y)} ${round(nextX - bend)} ${round(point[1])} ${round(nextX)} ${round(point[1])}`;
    [x, y] = [nextX, point[1]];
  }
  const kinds = [
    ...(from.deps.includes(to) ? [] : ['vg-build']),
    ...(from.follows.includes(to) && from.standing !== 'fresh' ? ['vg-follows'] : []),
  ];
  const head = `<path class="vg-tip" d="M${round(end[0])} ${round(end[1])}l-${tip + 1} -4.5v9z"/>`;
  return `<g class="${kinds.join(' ')}"><path class="vg-edge${kinds.includes('vg-build') ? ' vg-build' : ''}" d="${path}"/>${head}</g>`;
}

function legendOf(packages: readonly GraphPackage[]): { readonly width: number; readonly shapes: string } {
  let x = 0;
  const shapes = standingsOf(packages).map(([standing, number]) => {
    const label = `${number} ${standing}`;
    const left = x;
    x += 30 + label.length * smallCharacter + 18;
    return `<g class="vg-${standing}" transform="translate(${round(left)} 6)"><g class="vg-icon">${icons[standing]}</g><text x="22" y="12" class="vg-word">${label}</text></g>`;
  });
  return { width: x, shapes: shapes.join('') };
}

const standingsOf = (packages: readonly GraphPackage[]) =>
  numberOfEach(
    standings,
    packages.map(({ standing }) => standing),
  );

const round = (number: number): number => Math.round(number * 10) / 10;
