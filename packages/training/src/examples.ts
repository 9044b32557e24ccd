import { type Dataset, targetOf } from "@tributary/algorithm";
import { type DataSpec, ProtocolError } from "@tributary/protocol";
import { sizeOf } from "./models/weights.ts";

/** Some of a dataset's examples in dense form: features row after row, and class indices or numbers to predict. */
export interface Examples {
  readonly features: Float32Array;
  readonly targets: Int32Array | Float32Array;
}

/**
 * The examples of `dataset` at `positions`, in buffers of their own. Throws `ProtocolError("bad_data")` where a label is
 * not one of the dataset's classes, or a number to predict is not finite.
 */
export async function readExamples(dataset: Dataset, positions: Uint32Array): Promise<Examples> {
  const features = new Float32Array(positions.length * sizeOf(dataset.shape));
  const numeric = targetOf(dataset) === "number";
  const targets = new (numeric ? Float32Array : Int32Array)(positions.length);
  const pending = dataset.batch(positions, features, targets);
  if (pending !== undefined) await pending;
  const isFine = numeric ? Number.isFinite : (label: number) => label >= 0 && label < dataset.classes;
  const wrong = targets.findIndex((target) => !isFine(target));
  if (wrong < 0) return { features, targets };
  const found = numeric
    ? `The number to predict of example ${positions[wrong]} is ${targets[wrong]}`
    : `Example ${positions[wrong]} is labelled ${targets[wrong]}; the labels of ${dataset.classes} classes are ` +
      `0 to ${dataset.classes - 1}`;
  throw new ProtocolError("bad_data", `${found}. Correct or leave out that example.`);
}

/**
 * Throws `ProtocolError("data_mismatch")` unless data of this description is what a run's `data` asks for; where the
 * kind is not known (a bare dataset) shape, target and classes alone are compared. A run that predicts nothing takes any
 * target; a text's characters need not be as many as the run's, but among them (fitData).
 */
export function checkFits(
  found: { readonly kind?: DataSpec["kind"] } & Pick<Dataset, "shape" | "classes" | "target">,
  asked: DataSpec,
): void {
  const fits =
    (found.kind ?? asked.kind) === asked.kind &&
    found.shape.join() === asked.shape.join() &&
    (asked.target === "none" ||
      (targetOf(found) === targetOf(asked) && (found.kind === "text" || found.classes === asked.classes)));
  if (fits) return;
  throw new ProtocolError(
    "data_mismatch",
    `${describe(found.kind, found)} found; the run asks for ${describe(asked.kind, asked)}.`,
  );
}

function describe(kind: DataSpec["kind"] | undefined, data: Pick<Dataset, "shape" | "classes" | "target">): string {
  return `${kind === undefined ? "examples of" : subjects[kind]} ${data.shape.join("×")} with ${describeTarget(data)}`;
}

const subjects: Readonly<Record<DataSpec["kind"], string>> = {
  images: "images of",
  table: "a table with rows of",
  sparse: "sparse rows of",
  text: "text in windows of",
  ratings: "ratings by",
};

/** What is to be predicted of data, in words: `10 classes`, `a number to predict`, `no target`. */
export function describeTarget(data: Pick<Dataset, "classes" | "target">): string {
  switch (targetOf(data)) {
    case "class":
      return `${data.classes} classes`;
    case "number":
      return "a number to predict";
    case "none":
      return "no target";
  }
}
