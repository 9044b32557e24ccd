import type { Dataset } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import { sizeOf } from "../models/weights.ts";

/**
 * A dataset in memory. `features` holds the examples row after row; it and `labels` are kept, not copied. Bytes are
 * multiplied by `scale` when they are read (1/255 for images), so that a dataset of images stays a quarter of the size.
 */
export function denseDataset(input: {
  features: Float32Array | Uint8Array;
  labels: Int32Array | Uint8Array;
  shape: readonly number[];
  classes: number;
  scale?: number;
}): Dataset {
  const { features, labels, shape, classes } = input;
  const scale = input.scale ?? 1;
  const width = sizeOf(shape);
  if (features.length !== labels.length * width) {
    throw new ProtocolError(
      "bad_data",
      `${features.length} feature values do not make ${labels.length} examples of ${shape.join("×")}.`,
    );
  }
  return {
    examples: labels.length,
    shape,
    classes,
    batch(positions, into, intoLabels) {
      for (let i = 0; i < positions.length; i++) {
        const position = positions[i]!;
        const row = features.subarray(position * width, (position + 1) * width);
        into.set(row, i * width);
        intoLabels[i] = labels[position]!;
      }
      if (scale === 1) return;
      for (let i = 0; i < positions.length * width; i++) into[i]! *= scale;
    },
  };
}

/** The examples of `dataset` at `rows`, in that order; reads through to it and copies no features. */
export function subset(dataset: Dataset, rows: Uint32Array): Dataset {
  return {
    examples: rows.length,
    shape: dataset.shape,
    classes: dataset.classes,
    batch: (positions, features, labels) =>
      dataset.batch(
        positions.map((position) => rows[position]!),
        features,
        labels,
      ),
  };
}
