import type { Dataset } from "@tributary/algorithm";
import { type DataSpec, ProtocolError } from "@tributary/protocol";
import { sizeOf } from "./models/weights.ts";

/** Some of a dataset's examples in dense form: features row after row, and their class indices. */
export interface Examples {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

/**
 * The examples of `dataset` at `positions`, in buffers of their own. Throws `ProtocolError("bad_data")` where a label is
 * not one of the dataset's classes.
 */
export async function readExamples(dataset: Dataset, positions: Uint32Array): Promise<Examples> {
  const features = new Float32Array(positions.length * sizeOf(dataset.shape));
  const labels = new Int32Array(positions.length);
  const pending = dataset.batch(positions, features, labels);
  if (pending !== undefined) await pending;
  const wrong = labels.findIndex((label) => !(label >= 0 && label < dataset.classes));
  if (wrong >= 0) {
    throw new ProtocolError(
      "bad_data",
      `Example ${positions[wrong]} is labelled ${labels[wrong]}; the labels of ${dataset.classes} classes are ` +
        `0 to ${dataset.classes - 1}. Correct or leave out that example.`,
    );
  }
  return { features, labels };
}

/**
 * Throws `ProtocolError("data_mismatch")` unless data of this description is what a run's `data` asks for; where the
 * kind is not known (a bare dataset) shape and classes alone are compared.
 */
export function checkFits(
  found: { readonly kind?: DataSpec["kind"]; readonly shape: readonly number[]; readonly classes: number },
  asked: DataSpec,
): void {
  const fits =
    (found.kind ?? asked.kind) === asked.kind &&
    found.shape.join() === asked.shape.join() &&
    found.classes === asked.classes;
  if (fits) return;
  throw new ProtocolError(
    "data_mismatch",
    `${describe(found.kind, found)} found; the run asks for ${describe(asked.kind, asked)}.`,
  );
}

function describe(kind: DataSpec["kind"] | undefined, data: { shape: readonly number[]; classes: number }): string {
  const what = { images: "images of", table: "a table with rows of" };
  const subject = kind === undefined ? "examples of" : what[kind];
  return `${subject} ${data.shape.join("×")} with ${data.classes} classes`;
}
