import { type RoundRecord, trafficOf, wallSecondsOf } from "@tributary/protocol";
import { bytesText, metricsText } from "./output.ts";

/** Bytes that went up and down for the average client that was asked, judging with it. */
export function bytesPerClient(round: RoundRecord): { up: number; down: number } {
  const asked = Math.max(1, round.cohort.length);
  const { up, down } = trafficOf(round);
  return { up: up / asked, down: down / asked };
}

/** One committed round as one line for people. */
export function roundLine(round: RoundRecord): string {
  const { up, down } = bytesPerClient(round);
  return [
    `round ${String(round.round).padStart(3)}`,
    `${round.survivors.length}/${round.cohort.length} clients`,
    metricsText({ ...round.metrics, ...round.evaluation }),
    `↑ ${bytesText(up)} ↓ ${bytesText(down)} a client`,
    `${wallSecondsOf(round).toFixed(1)} s`,
  ].join("  ");
}
