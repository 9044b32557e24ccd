import { type HandDevice, tinyJudgement, tinyUpdate } from "./coordinator-device.ts";

/** Of a run whose rounds one device trains and judges alone, by hand. */
export const oneDevice = {
  cohort: { size: 1, minimum: 1, overSelect: 1 },
  evaluation: { on: "clients" },
  stop: { rounds: 20 },
} as const;

/** Trains and judges one round; 8 of 10 examples are right. */
export async function playRound(device: HandDevice, round: number): Promise<void> {
  const of = (kind: string) => device.asked((hint) => hint.round === round && hint.kind === kind);
  await device.answer(await of("train"), tinyUpdate(0.1));
  await device.answer(await of("evaluate"), tinyJudgement(10, 4 / round, 8));
}
