/**
 * Places the nodes of a graph without cycles in columns, so that every edge runs from left to right (pure).
 *
 * @see K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981: columns by longest
 * paths, long edges cut into pieces, fewest crossings by barycenters. Heights are then the least squares fit to the neighbours' heights
 * that keeps the order and the distances, by pooling adjacent violators.
 */

interface LayoutNode {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
}

export interface Placed extends LayoutNode {
  /** Of its top left corner. */
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Placed[];
  /** The points that an edge runs through, from the right side of one node to the left side of another. */
  readonly edges: readonly (LayoutEdge & { readonly points: readonly (readonly [x: number, y: number])[] })[];
}

/** Between columns, and between what is above each other; a cut edge needs less room than a node. */
interface Gaps {
  readonly column: number;
  readonly row: number;
}

interface Cell {
  readonly node: LayoutNode | undefined;
  readonly height: number;
  readonly left: Cell[];
  readonly right: Cell[];
  /** Of its middle. */
  y: number;
}

const sweeps = 12;

/** @param edges Between given nodes; each pair once. */
export function layered(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[], gaps: Gaps): Layout {
  const column = columnsOf(nodes, edges);
  const cells: Cell[][] = Array.from({ length: Math.max(0, ...column.values()) + 1 }, () => []);
  const cellAt = (at: number, node?: LayoutNode): Cell => {
    const cell = { node, height: node?.height ?? 0, left: [], right: [], y: 0 };
    cells[at]?.push(cell);
    return cell;
  };
  const own = new Map(nodes.map((node) => [node.id, cellAt(column.get(node.id) ?? 0, node)]));
  const chains = edges.map((edge) => {
    const [first, last] = [column.get(edge.from) ?? 0, column.get(edge.to) ?? 0];
    const inner = Array.from({ length: Math.max(0, last - first - 1) }, (_, at) => cellAt(first + 1 + at));
    const chain = [own.get(edge.from), ...inner, own.get(edge.to)].filter((cell) => cell !== undefined);
    for (const [at, cell] of chain.entries()) {
      const next = chain[at + 1];
      if (next !== undefined) {
        cell.right.push(next);
        next.left.push(cell);
      }
    }
    return { edge, chain };
  });
  const ordered = fewestCrossings(cells);
  settleHeights(ordered, gaps.row);

  const widths = ordered.map((cellsHere) => Math.max(0, ...cellsHere.map(({ node }) => node?.width ?? 0)));
  const lefts = widths.map((_, at) => widths.slice(0, at).reduce((sum, width) => sum + width + gaps.column, 0));
  const all = ordered.flat();
  const top = Math.min(...all.map(({ y, height }) => y - height / 2), Number.POSITIVE_INFINITY);
  const bottom = Math.max(...all.map(({ y, height }) => y + height / 2), Number.NEGATIVE_INFINITY);
  const columnOfCell = new Map(ordered.flatMap((cellsHere, at) => cellsHere.map((cell) => [cell, at] as const)));
  const leftOf = (cell: Cell): number => lefts[columnOfCell.get(cell) ?? 0] ?? 0;
  return {
    width: widths.reduce((sum, width) => sum + width, 0) + gaps.column * Math.max(0, widths.length - 1),
    height: all.length === 0 ? 0 : bottom - top,
    nodes: all.flatMap((cell) =>
      cell.node === undefined ? [] : [{ ...cell.node, x: leftOf(cell), y: cell.y - top - cell.height / 2 }],
    ),
    edges: chains.map(({ edge, chain }) => ({
      ...edge,
      points: chain.flatMap((cell, at) => {
        const [x, y] = [leftOf(cell), cell.y - top];
        const right = x + (cell.node?.width ?? widths[columnOfCell.get(cell) ?? 0] ?? 0);
        const sides = at === 0 ? [right] : at === chain.length - 1 ? [x] : [x, right];
        return sides.map((side) => [side, y] as const);
      }),
    })),
  };
}

/** As far left as what leads to a node allows; then what nothing leads to as near as possible to what it leads to. */
function columnsOf(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Map<string, number> {
  const column = new Map<string, number>();
  const visit = (id: string): number => {
    const before = column.get(id);
    if (before !== undefined) return before;
    const at = Math.max(0, ...edges.filter(({ to }) => to === id).map(({ from }) => visit(from) + 1));
    column.set(id, at);
    return at;
  };
  for (const { id } of nodes) visit(id);
  for (const { id } of nodes) {
    if (edges.some(({ to }) => to === id)) continue;
    const next = edges.filter(({ from }) => from === id).map(({ to }) => column.get(to) ?? 0);
    if (next.length > 0) column.set(id, Math.min(...next) - 1);
  }
  return column;
}

/** Sorts each column by the mean place of the neighbours to its left, then to its right, and so on; the best order that came up is taken. */
function fewestCrossings(cells: readonly Cell[][]): Cell[][] {
  let best = cells.map((column) => [...column]);
  let fewest = crossings(best);
  let now = best;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep += 1) {
    now = now.map((column) => [...column]);
    const order = sweep % 2 === 0 ? [...now.keys()] : [...now.keys()].reverse();
    for (const at of order) {
      const beside = now[sweep % 2 === 0 ? at - 1 : at + 1];
      if (beside === undefined) continue;
      const place = new Map(beside.map((cell, index) => [cell, index]));
      const centre = new Map(
        (now[at] ?? []).map((cell, index) => {
          const places = (sweep % 2 === 0 ? cell.left : cell.right).map((other) => place.get(other) ?? 0);
          return [cell, places.length === 0 ? index : mean(places)];
        }),
      );
      now[at]?.sort((a, b) => (centre.get(a) ?? 0) - (centre.get(b) ?? 0));
    }
    const count = crossings(now);
    if (count < fewest) [best, fewest] = [now, count];
  }
  return best;
}

function crossings(columns: readonly Cell[][]): number {
  return columns.reduce((sum, column, at) => {
    const place = new Map((columns[at + 1] ?? []).map((cell, index) => [cell, index]));
    const ends = column.map((cell) => cell.right.map((other) => place.get(other) ?? 0));
    let crossed = 0;
    for (const [index, upper] of ends.entries())
      for (const lower of ends.slice(index + 1))
        for (const one of upper) crossed += lower.filter((other) => other < one).length;
    return sum + crossed;
  }, 0);
}

function settleHeights(columns: readonly Cell[][], gap: number): void {
  const apart = (above: Cell, below: Cell): number => (above.height + below.height) / 2 + gap;
  for (const column of columns)
    fit(
      column,
      column.map(() => 0),
      apart,
    );
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const wanted = column.map((cell) => {
        const beside = [...cell.left, ...cell.right];
        return beside.length === 0 ? cell.y : mean(beside.map(({ y }) => y));
      });
      fit(column, wanted, apart);
    }
  }
}

/** Gives a column the heights nearest to the wanted ones that keep its order and distances. */
function fit(column: readonly Cell[], wanted: readonly number[], apart: (above: Cell, below: Cell) => number): void {
  const offsets: number[] = [];
  for (const [at, cell] of column.entries()) {
    const above = column[at - 1];
    offsets.push(above === undefined ? 0 : (offsets[at - 1] ?? 0) + apart(above, cell));
  }
  const blocks: { sum: number; size: number }[] = [];
  for (const [at, want] of wanted.entries()) {
    let block = { sum: want - (offsets[at] ?? 0), size: 1 };
    for (let last = blocks.at(-1); last !== undefined && last.sum / last.size >= block.sum / block.size; ) {
      block = { sum: block.sum + last.sum, size: block.size + last.size };
      blocks.pop();
      last = blocks.at(-1);
    }
    blocks.push(block);
  }
  const bases = blocks.flatMap(({ sum, size }) => Array.from({ length: size }, () => sum / size));
  for (const [at, cell] of column.entries()) cell.y = (bases[at] ?? 0) + (offsets[at] ?? 0);
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
