import { type Dataset, type FewValues, fewValuesOf, targetOf } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import type { Loss } from "./parameters.ts";

/** One device's rows as SDCA takes them. */
export interface Problem {
  readonly rows: FewValues;
  /** Labels: −1 and 1, or with `squared` any number. */
  readonly labels: Float64Array;
  /** ‖x‖² of each row. */
  readonly squares: Float64Array;
}

export interface ProblemSettings {
  readonly loss: Loss;
  readonly width: number;
  readonly unitRows: boolean;
}

/** The bounds that a secure sum has room for, where there is one. */
export interface Bounds {
  readonly largest?: number;
  readonly maximumRows?: number;
}

const made = new WeakMap<Dataset, { readonly key: string; readonly problem: Promise<Problem> }>();

/** A dataset as a problem, made once. Throws `bad_data` for labels that the loss does not take. */
export function problemOf(data: Dataset, settings: ProblemSettings): Promise<Problem> {
  const key = JSON.stringify([settings.loss, settings.width, settings.unitRows]);
  const known = made.get(data);
  if (known?.key === key) return known.problem;
  const problem = makeProblem(data, settings);
  made.set(data, { key, problem });
  problem.catch(() => made.delete(data));
  return problem;
}

async function makeProblem(data: Dataset, { loss, width, unitRows }: ProblemSettings): Promise<Problem> {
  const found = await fewValuesOf(data, width);
  const labels = labelsOf(found, data, loss);
  const rows = unitRows ? scaledToUnit(found) : found;
  const squares = Float64Array.from({ length: rows.count }, (_, row) => squareOf(rows, row));
  return { rows, labels, squares };
}

/** Class 0 is −1 and class 1 is 1; numbers are taken as they are. */
function labelsOf({ targets }: FewValues, data: Dataset, loss: Loss): Float64Array {
  const labels =
    targetOf(data) === "class" ? targets.map((label) => (data.classes === 2 ? 2 * label - 1 : label)) : targets;
  if (loss === "squared" || labels.every((label) => label === 1 || label === -1)) return labels;
  const detail = `${loss} loss takes labels −1 and 1 (or two classes), and this device has others; correct the target column`;
  throw new ProtocolError("bad_data", detail);
}

function scaledToUnit(rows: FewValues): FewValues {
  const values = Float64Array.from(rows.values);
  for (let row = 0; row < rows.count; row++) {
    const length = Math.sqrt(squareOf(rows, row));
    if (length === 0) continue;
    for (let i = rows.starts[row]!; i < rows.starts[row + 1]!; i++) values[i]! /= length;
  }
  return { ...rows, values };
}

function squareOf({ starts, values }: FewValues, row: number): number {
  let square = 0;
  for (let i = starts[row]!; i < starts[row + 1]!; i++) square += values[i]! * values[i]!;
  return square;
}

/** Throws `bad_data` for rows that the run's secure sums have no room for. Says what to declare, and no value. */
export function checkBounds(
  { rows: { values, count }, labels }: Problem,
  { loss, largest, maximumRows }: Bounds & { readonly loss: Loss },
): void {
  if (maximumRows !== undefined && count > maximumRows) {
    const detail = `this device has more rows than algorithm.maximumRows, ${maximumRows}; create the run with a larger one`;
    throw new ProtocolError("bad_data", detail);
  }
  if (largest === undefined) return;
  const beyond = (list: ArrayLike<number>) =>
    Array.prototype.some.call(list, (value: number) => Math.abs(value) > largest);
  const what = beyond(values) ? "feature" : loss === "squared" && beyond(labels) ? "target" : undefined;
  if (what === undefined) return;
  const detail = `a ${what} is beyond algorithm.largest, ${largest}; scale the data, or create the run with a larger one`;
  throw new ProtocolError("bad_data", detail);
}
