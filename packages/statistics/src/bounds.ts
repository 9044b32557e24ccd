import type { Rows } from "@tributary/algorithm";
import { ProtocolError, type RunSpec } from "@tributary/protocol";

/** What a run declares of one device's values and rows, so that a secure sum of them has room. */
export interface Bounds {
  readonly largest: number;
  readonly maximumRows: number;
}

/** The bounds as a question carries them: only where the sum is secure. */
export function boundsFor(spec: RunSpec, { largest, maximumRows }: Bounds): Partial<Bounds> {
  return spec.secureAggregation === "none" ? {} : { largest, maximumRows };
}

/** Throws `bad_data` for rows that the run's secure sums have no room for. Says what to declare, and no value. */
export function checkBounds(
  { features, targets, count }: Rows,
  { largest, maximumRows }: Partial<Bounds>,
  withTargets = false,
): void {
  if (maximumRows !== undefined && count > maximumRows) {
    const detail = `this device has more rows than algorithm.maximumRows, ${maximumRows}; create the run with a larger one`;
    throw new ProtocolError("bad_data", detail);
  }
  if (largest === undefined) return;
  const fits = (value: number) => Math.abs(value) <= largest;
  if (features.every(fits) && (!withTargets || targets.every(fits))) return;
  const detail = `a value is beyond algorithm.largest, ${largest}; scale the data, or create the run with a larger one`;
  throw new ProtocolError("bad_data", detail);
}
