import type { Dataset, Features } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import { sizeOf } from "../models/weights.ts";

/**
 * A dataset in memory. `features` holds the examples row after row; `labels` are their class indices, or `numbers` what
 * is to be predicted of them; with neither there is no target. All are kept, not copied. Bytes are multiplied by `scale`
 * when they are read (1/255 for images), so that a dataset of images stays a quarter of the size.
 */
export function denseDataset(input: {
  features: Features | Uint8Array;
  labels?: Int32Array | Uint8Array;
  numbers?: Features;
  shape: readonly number[];
  classes?: number;
  scale?: number;
}): Dataset {
  const { features, labels, numbers, shape, classes = 0, scale = 1 } = input;
  const width = sizeOf(shape);
  const targets = labels ?? numbers;
  const examples = targets?.length ?? features.length / width;
  if (features.length !== examples * width) {
    throw new ProtocolError(
      "bad_data",
      `${features.length} feature values do not make ${examples} examples of ${shape.join("×")}.`,
    );
  }
  return {
    examples,
    shape,
    classes,
    target: labels !== undefined ? "class" : numbers !== undefined ? "number" : "none",
    batch(positions, into, intoTargets) {
      for (let i = 0; i < positions.length; i++) {
        const position = positions[i]!;
        const row = features.subarray(position * width, (position + 1) * width);
        into.set(row, i * width);
        if (targets !== undefined) intoTargets[i] = targets[position]!;
      }
      if (scale === 1) return;
      for (let i = 0; i < positions.length * width; i++) into[i]! *= scale;
    },
  };
}
