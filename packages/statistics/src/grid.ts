import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;

/**
 * The bins in which values are counted. `linear`: equal bins from `from` to `to`. `geometric`: for values whose size is
 * not known: bins that widen evenly in the logarithm from `smallest` to `largest`, the same below zero, and one around
 * zero between them. The first and the last bin also take what lies beyond the grid.
 */
export const Grid = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("linear"),
      from: Type.Number(),
      to: Type.Number(),
      bins: Type.Integer({ minimum: 2, maximum: 10_000, default: 100 }),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal("geometric"),
      smallest: Type.Number({ exclusiveMinimum: 0, default: 1e-3 }),
      largest: Type.Number({ exclusiveMinimum: 0, default: 1e6 }),
      bins: Type.Integer({ minimum: 1, maximum: 5_000, default: 90 }),
    },
    strict,
  ),
]);
export type Grid = Static<typeof Grid>;

/** What is wrong with a grid, a phrase each. */
export function gridFaults(grid: Grid, where: string): string[] {
  if (grid.kind === "linear") return grid.from < grid.to ? [] : [`${where}.from: ${grid.from} is not below ${grid.to}`];
  return grid.smallest < grid.largest ? [] : [`${where}.smallest: ${grid.smallest} is not below ${grid.largest}`];
}

/** The ascending edges of a grid: bin i is from edge i up to, but without, edge i + 1. */
export function edgesOf(grid: Grid): Float64Array {
  if (grid.kind === "linear") {
    const { from, to, bins } = grid;
    return Float64Array.from({ length: bins + 1 }, (_, i) => from + ((to - from) * i) / bins);
  }
  const { smallest, largest, bins } = grid;
  const ratio = largest / smallest;
  const above = Array.from({ length: bins + 1 }, (_, i) => smallest * ratio ** (i / bins));
  return Float64Array.from([...above.map((edge) => -edge).reverse(), ...above]);
}

/** The bin of a value, by bisection; what lies beyond the grid belongs to its first or last bin. */
export function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The range in which values lie, as edges of bins and never an extreme: the outer bins count only from where at least
 * `minimumCount` values lie outside or in them. Undefined for fewer values than that.
 */
export function rangeOf(
  counts: ArrayLike<number>,
  edges: Float64Array,
  minimumCount: number,
): { low: number; high: number } | undefined {
  const needed = Math.max(1, minimumCount);
  const reach = (order: (i: number) => number) => {
    let seen = 0;
    for (let i = 0; i < counts.length; i++) {
      seen += counts[order(i)]!;
      if (seen >= needed) return order(i);
    }
    return undefined;
  };
  const first = reach((i) => i);
  const last = reach((i) => counts.length - 1 - i);
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = first <= last ? [first, last] : [last, first];
  return { low: edges[from]!, high: edges[to + 1]! };
}
