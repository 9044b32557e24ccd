import { ProtocolError } from "@tributary/protocol";
import type { Dataset, SparseRows } from "./training.ts";

/** A dataset's examples in memory, in double precision. Shared: nobody may write to it. */
export interface Rows {
  readonly count: number;
  /** Features of one row. */
  readonly width: number;
  /** Row after row. */
  readonly features: Float64Array;
  /** What is to be predicted of each row, class indices or numbers; zeros where there is nothing. */
  readonly targets: Float64Array;
}

/** The same with every row's few values: `columns` and `values` from `starts[i]` up to `starts[i + 1]`. */
export interface FewValues extends SparseRows {
  readonly count: number;
  readonly width: number;
  readonly targets: Float64Array;
}

const dense = new WeakMap<Dataset, Promise<Rows>>();
const sparse = new WeakMap<Dataset, Promise<FewValues>>();

/**
 * Every row of a dataset, read once and kept as long as the dataset is. Throws `bad_data` for a dataset without rows and
 * `data_mismatch` where the rows do not have `width` features.
 */
export async function rowsOf(data: Dataset, width: number): Promise<Rows> {
  checkRows(data, width);
  return remembered(dense, data, async () => {
    const features = new Float64Array(data.examples * width);
    return { count: data.examples, width, features, targets: await read(data, width, features) };
  });
}

/** As `rowsOf`, for arithmetic that meets only the values of a row that are not 0. */
export async function fewValuesOf(data: Dataset, width: number): Promise<FewValues> {
  checkRows(data, width);
  return remembered(sparse, data, async () => {
    const targets = await read(data, width);
    return { ...(data.sparse ?? (await thinned(data, width))), count: data.examples, width, targets };
  });
}

/** The product of a shape's sizes: the features of one example. */
export function widthOf({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, size) => product * size, 1);
}

function checkRows(data: Dataset, width: number): void {
  if (data.examples === 0) {
    throw new ProtocolError("bad_data", "this device has no rows; give it some, or leave it out of the run");
  }
  const found = widthOf(data);
  if (found === width) return;
  throw new ProtocolError(
    "data_mismatch",
    `this device's rows have ${found} features, the run's ${width}; give every device the same columns`,
  );
}

function remembered<Value>(
  memory: WeakMap<Dataset, Promise<Value>>,
  data: Dataset,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = memory.get(data);
  if (known !== undefined) return known;
  const made = make();
  memory.set(data, made);
  made.catch(() => memory.delete(data));
  return made;
}

/** How many values are written out at once. */
const mostValues = 4_194_304;

/** Reads the targets, and the features too if there is room for them, some rows at a time. */
async function read(data: Dataset, width: number, features?: Float64Array): Promise<Float64Array> {
  const targets = new Float64Array(data.examples);
  const step = Math.max(1, Math.floor(mostValues / width));
  const scratch = features === undefined ? new Float64Array(Math.min(step, data.examples) * width) : undefined;
  for (let from = 0; from < data.examples; from += step) {
    const positions = Uint32Array.from({ length: Math.min(step, data.examples - from) }, (_, i) => from + i);
    const into = scratch ?? features!.subarray(from * width);
    const pending = data.batch(positions, into, targets.subarray(from));
    if (pending !== undefined) await pending;
  }
  return targets;
}

async function thinned(data: Dataset, width: number): Promise<SparseRows> {
  const { features } = await rowsOf(data, width);
  const starts = new Uint32Array(data.examples + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < data.examples; row++) {
    for (let column = 0; column < width; column++) {
      const value = features[row * width + column]!;
      if (value === 0) continue;
      columns.push(column);
      values.push(value);
    }
    starts[row + 1] = columns.length;
  }
  return { starts, columns: Uint32Array.from(columns), values: Float64Array.from(values) };
}
