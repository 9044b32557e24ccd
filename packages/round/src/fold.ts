import type { Contribution, Lane, Total } from "@tributary/algorithm";
import { lanesLength } from "@tributary/algorithm";

/**
 * The running total of a cohort's contributions: memory of one vector however many are added. Adding in one order gives
 * one result, bit for bit; the sums are kept in double precision.
 */
export class Fold {
  readonly #lanes: readonly Lane[];
  readonly #sums: Float64Array;
  #weight = 0;
  #contributors = 0;

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
    this.#sums = new Float64Array(lanesLength(lanes));
  }

  /** Adds one contribution, whose values have the lanes' total length and whose weight is > 0. */
  add({ values, weight }: Contribution): void {
    const sums = this.#sums;
    let at = 0;
    for (const { length, encoding } of this.#lanes) {
      const end = at + length;
      const factor = encoding.kind === "update" ? weight : 1;
      for (; at < end; at++) sums[at]! += factor * values[at]!;
    }
    this.#weight += weight;
    this.#contributors += 1;
  }

  /**
   * The total: `update` lanes as means weighted by weight, `exact` lanes as sums. At least one contribution was added, and
   * none can be added any more: the lanes are the fold's own memory.
   */
  total(): Total {
    const lanes: Record<string, Float64Array> = {};
    let at = 0;
    for (const { name, length, encoding } of this.#lanes) {
      const lane = this.#sums.subarray(at, at + length);
      if (encoding.kind === "update") for (let i = 0; i < length; i++) lane[i]! /= this.#weight;
      lanes[name] = lane;
      at += length;
    }
    return { lanes, weight: this.#weight, contributors: this.#contributors };
  }
}
