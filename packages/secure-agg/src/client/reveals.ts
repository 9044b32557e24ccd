import { ProtocolError } from "@tributary/protocol";
import type { SessionParameters } from "../session/parameters.ts";

/** Under this key a device remembers, for as long as the run lives, that it answered an unmask request. */
export function revealKey({ run, modelVersion, kind }: SessionParameters): string {
  return `${run}/${modelVersion}/${kind}`;
}

/**
 * One reveal per (run, model version, kind): a coordinator that pretends to abandon an attempt, and asks again with one
 * device more, would subtract two sums (DESIGN §4). Also refuses a session about another model than the device holds.
 */
export function checkNotRevealed(
  revealed: ReadonlySet<string>,
  parameters: SessionParameters,
  modelHash: string,
): void {
  if (revealed.has(revealKey(parameters))) {
    const { run, modelVersion, kind } = parameters;
    const found = `this device was in a ${kind} sum of ${run}, model version ${modelVersion}`;
    throw new ProtocolError("secure_already_revealed", `${found}, and joins no other of that kind on that version`);
  }
  if (parameters.modelHash === modelHash) return;
  const found = `the session is about model ${parameters.modelHash.slice(0, 12)}…`;
  throw new ProtocolError("model_hash_mismatch", `${found}, this device holds ${modelHash.slice(0, 12)}…`);
}
