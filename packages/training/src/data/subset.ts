import type { Dataset, SparseRows } from "@tributary/algorithm";

/**
 * The examples of `dataset` at `rows`, in that order; reads through to it and copies no features. Sparse rows are
 * gathered when somebody first asks for them: views of the whole where they follow one another, else copies of these.
 */
export function subset(dataset: Dataset, rows: Uint32Array): Dataset {
  const { shape, classes, target, sparse } = dataset;
  const own: Dataset = {
    examples: rows.length,
    shape,
    classes,
    ...(target === undefined ? {} : { target }),
    batch: (positions, features, targets) =>
      dataset.batch(
        positions.map((position) => rows[position]!),
        features,
        targets,
      ),
  };
  if (sparse === undefined) return own;
  let gathered: SparseRows | undefined;
  return Object.defineProperty(own, "sparse", {
    enumerable: true,
    get() {
      gathered ??= gather(sparse, rows);
      return gathered;
    },
  });
}

function gather({ starts, columns, values }: SparseRows, rows: Uint32Array): SparseRows {
  const ownStarts = new Uint32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) ownStarts[i + 1] = ownStarts[i]! + starts[rows[i]! + 1]! - starts[rows[i]!]!;
  if (rows.every((row, i) => row === rows[0]! + i)) {
    const from = starts[rows[0] ?? 0]!;
    const to = from + ownStarts[rows.length]!;
    return { starts: ownStarts, columns: columns.subarray(from, to), values: values.subarray(from, to) };
  }
  const ownColumns = new Uint32Array(ownStarts[rows.length]!);
  const ownValues = new (values instanceof Float64Array ? Float64Array : Float32Array)(ownColumns.length);
  for (let i = 0; i < rows.length; i++) {
    const [from, to] = [starts[rows[i]!]!, starts[rows[i]! + 1]!];
    ownColumns.set(columns.subarray(from, to), ownStarts[i]);
    ownValues.set(values.subarray(from, to), ownStarts[i]);
  }
  return { starts: ownStarts, columns: ownColumns, values: ownValues };
}
