import { type Judging, type RoundRecord, type RunTotals, wallSecondsOf } from "@tributary/protocol";

export const noTotals: RunTotals = { bytesUp: 0, bytesDown: 0, seconds: 0 };

/** The totals with one more committed round, not judged yet. */
export function withRound(totals: RunTotals, round: Pick<RoundRecord, keyof RunTotals>): RunTotals {
  const { bytesUp, bytesDown } = round;
  return plus(totals, { bytesUp, bytesDown, seconds: wallSecondsOf(round) });
}

/** The totals with the judgement of a round that is in them. */
export function withJudgement(totals: RunTotals, judged: { seconds: number; judging?: Judging }): RunTotals {
  const { seconds, judging } = judged;
  return plus(totals, { bytesUp: judging?.bytesUp ?? 0, bytesDown: judging?.bytesDown ?? 0, seconds });
}

function plus(a: RunTotals, b: RunTotals): RunTotals {
  return { bytesUp: a.bytesUp + b.bytesUp, bytesDown: a.bytesDown + b.bytesDown, seconds: a.seconds + b.seconds };
}
