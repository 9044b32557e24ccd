import { setTimeout as sleep } from "node:timers/promises";
import { isOver, type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Rest } from "./rest.ts";

/** What a watcher hears: a round, once its evaluation is known (if it is to have one), and every change of phase. */
export type RunNews =
  | { readonly type: "round"; readonly round: RoundRecord }
  | { readonly type: "run"; readonly run: RunRecord };

/** Follows a run until it is over: every round in order, each once. */
export async function* watchRun(rest: Rest, run: string, intervalMs = 250): AsyncGenerator<RunNews> {
  let after = 0;
  let shown = "";
  for (;;) {
    const record = await rest.get<RunRecord>(routes.run(run));
    const over = isOver(record.phase);
    for (const round of await rest.get<RoundRecord[]>(`${routes.rounds(run)}?after=${after}`)) {
      // The newest round's evaluation may still be under way; every earlier one is final.
      const pending =
        round.round === record.round && !over && record.phase !== "paused" && round.evaluation === undefined;
      if (pending) break;
      after = round.round;
      yield { type: "round", round };
    }
    const text = `${coarse(record.phase)}:${record.reason ?? ""}`;
    if (text !== shown && (!over || after >= record.round)) {
      shown = text;
      yield { type: "run", run: record };
    }
    if (over && after >= record.round) return;
    await sleep(intervalMs);
  }
}

/** The phases that alternate many times a round count as one. */
function coarse(phase: RunRecord["phase"]): string {
  return phase === "collecting" || phase === "aggregating" || phase === "evaluating" || phase === "gathering"
    ? "running"
    : phase;
}
