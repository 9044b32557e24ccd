import type { Contribution, Lane, Total } from "@tributary/algorithm";
import { type ClientId, elementOf, frameBytes } from "@tributary/protocol";
import { type Attempt, Fold } from "@tributary/round";

/** One attempt's sum, in the clear or under secure aggregation, as far as the simulator needs to know. */
export interface SimulatedSum {
  readonly attempt: Attempt;
  /** Opens a step and gives who can go on. Throws the ProtocolError for which the attempt has to be given up. */
  openStep(step: number): Promise<readonly ClientId[]>;
  /** One client's answer to a step; its contribution is asked for when it is needed. Gives the bytes that went up. */
  answer(step: number, client: ClientId, contribute: () => Promise<Contribution>): Promise<number>;
  /** Whether an irrevocable step has what it needs. */
  isEnough(): boolean;
  total(): Promise<Total>;
}

/** Contributions folded as they come. */
export class PlainSum implements SimulatedSum {
  readonly attempt: Attempt;
  readonly #fold: Fold;

  constructor(attempt: Attempt, lanes: readonly Lane[]) {
    this.attempt = attempt;
    this.#fold = new Fold(lanes);
  }

  async openStep(): Promise<readonly ClientId[]> {
    return this.attempt.cohort;
  }

  async answer(_step: number, _client: ClientId, contribute: () => Promise<Contribution>): Promise<number> {
    const contribution = await contribute();
    this.#fold.add(contribution);
    return frameBytes(elementOf(contribution.values), contribution.values.length);
  }

  isEnough(): boolean {
    return true;
  }

  async total(): Promise<Total> {
    return this.#fold.total();
  }
}
