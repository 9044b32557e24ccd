import { ProtocolError } from "@tributary/protocol";
import type { Trainer } from "./training.ts";

/** The trainer of a run without layers, whose algorithm does its own arithmetic. Refuses to train (`bad_spec`). */
export const noTrainer: Trainer = {
  engine: "none",
  parameters: 0,
  train: () => Promise.reject(nothingToTrain()),
  gradient: () => Promise.reject(nothingToTrain()),
  evaluate: () => Promise.reject(nothingToTrain()),
};

function nothingToTrain(): ProtocolError {
  return new ProtocolError("bad_spec", "the run has no model to train, and its algorithm asks to train one");
}
