import type { Dataset } from "@tributary/algorithm";
import type { DataSpec } from "@tributary/protocol";
import { sizeOf } from "../models/weights.ts";

/**
 * A dataset whose features are (x − mean) / deviation, feature by feature: figures of the whole federation, which a run
 * gives, so that no device needs another's data. One figure does for all features. A deviation of 0 counts as 1. Rows are
 * no longer sparse: a mean fills their zeros.
 */
export function normalised(dataset: Dataset, by: NonNullable<DataSpec["normalise"]>): Dataset {
  const { examples, shape, classes, target } = dataset;
  const width = sizeOf(shape);
  const mean = broadcast(by.mean, width);
  const scale = broadcast(by.deviation, width).map((deviation) => 1 / (deviation || 1));
  return {
    examples,
    shape,
    classes,
    ...(target === undefined ? {} : { target }),
    batch(positions, features, targets) {
      const finish = () => {
        for (let i = 0; i < positions.length * width; i++) {
          features[i] = (features[i]! - mean[i % width]!) * scale[i % width]!;
        }
      };
      const pending = dataset.batch(positions, features, targets);
      return pending === undefined ? finish() : pending.then(finish);
    },
  };
}

const broadcast = (values: readonly number[], width: number) =>
  values.length === 1 ? new Float64Array(width).fill(values[0]!) : Float64Array.from(values);
