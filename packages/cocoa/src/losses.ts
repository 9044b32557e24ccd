import type { Loss } from "./parameters.ts";

/**
 * A loss of the margin z = xᵀw and the label y, and what SDCA needs of it (Shalev-Shwartz and Zhang 2013). The dual
 * variable α stands for y·α·x in w with `hinge` and `logistic` (0 ≤ α ≤ 1), for α·x with `squared`.
 */
export interface LossFunction {
  value(z: number, y: number): number;
  /** −ℓ*(−α), the dual objective's term; at most the loss's own. */
  dual(alpha: number, y: number): number;
  /** The α that is best for one row, all else kept: `curvature` is σ′‖x‖²/(λn), `z` the margin at the α of now. Called once a step, so without an object. */
  best(alpha: number, z: number, y: number, curvature: number): number;
  /** What α = 1 adds to w, in units of x. */
  sign(y: number): number;
}

export const losses: { readonly [Name in Loss]: LossFunction } = {
  hinge: {
    value: (z, y) => Math.max(0, 1 - y * z),
    dual: (alpha) => alpha,
    best(alpha, z, y, curvature) {
      const slope = y * z - 1;
      if (curvature === 0) return slope < 0 ? 1 : 0;
      return Math.min(1, Math.max(0, alpha - slope / curvature));
    },
    sign: (y) => y,
  },
  logistic: {
    value: (z, y) => softplus(-y * z),
    dual: (alpha) => -xLogX(alpha) - xLogX(1 - alpha),
    best: (alpha, z, y, curvature) => logisticBest(alpha, y * z, curvature),
    sign: (y) => y,
  },
  squared: {
    value: (z, y) => 0.5 * (z - y) ** 2,
    dual: (alpha, y) => alpha * y - 0.5 * alpha * alpha,
    best: (alpha, z, y, curvature) => alpha + (y - z - alpha) / (1 + curvature),
    sign: () => 1,
  },
};

function softplus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

function xLogX(x: number): number {
  return x <= 0 ? 0 : x * Math.log(x);
}

/** The root of log(a / (1 − a)) + margin + curvature (a − α), which grows with a: Newton's steps within a bracket. */
function logisticBest(alpha: number, margin: number, curvature: number): number {
  let [low, high] = [0, 1];
  let a = 1 / (1 + Math.exp(margin));
  for (let i = 0; i < 60; i++) {
    if (!(a > low && a < high)) a = (low + high) / 2;
    const value = Math.log(a / (1 - a)) + margin + curvature * (a - alpha);
    if (value > 0) high = a;
    else low = a;
    const step = value / (1 / (a * (1 - a)) + curvature);
    if (Math.abs(step) <= 1e-14 || a === low + (high - low) / 2) break;
    a -= step;
  }
  return Math.min(1, Math.max(0, a));
}
