import { ProtocolError, type RunPlan, type StepQuestion } from "@tributary/protocol";
import {
  decodeParameters,
  type MessageType,
  type SessionParameters,
  taskHashOf,
  typeOfMessage,
} from "@tributary/secure-agg";

const longestMs = 86_400_000;
/** The messages that ask, by step; parameters bear no type. */
const asking: readonly (MessageType | undefined)[] = [
  undefined,
  "shareQuestion",
  "maskQuestion",
  "confirmQuestion",
  "unmaskQuestion",
];

/**
 * A secure step's message. Throws `ProtocolError("secure_message")` for a question without one, for no base64, and for
 * another step's message: what a device writes down of its answer goes by the step.
 */
export function messageOf({ step, message }: StepQuestion): Uint8Array {
  const bytes = decoded(step, message);
  const [type, expected] = [typeOfMessage(bytes), asking[step]];
  if (step < asking.length && type === expected) return bytes;
  const found = `step ${step} carries ${type ?? "no message of a session"}`;
  throw new ProtocolError("secure_message", `${found}; expected ${expected ?? "the parameters, in step 0"}`);
}

function decoded(step: number, message: string | undefined): Uint8Array {
  try {
    return Uint8Array.from(atob(message ?? ""), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new ProtocolError("secure_message", `the message of step ${step} is not base64`, { cause });
  }
}

/**
 * The session that an opening question proposes, held against the rest of that question and its run's plan: what the
 * device trains must be what the session's members agree on. Throws `ProtocolError("secure_parameters" | "secure_message")`.
 */
export function checkOpening(plan: RunPlan, question: StepQuestion, message: Uint8Array): SessionParameters {
  const parameters = decodeParameters(message);
  for (const field of ["run", "round", "attempt", "kind", "modelVersion"] as const) {
    same(field, parameters[field], question[field]);
  }
  const values = parameters.lanes.reduce((sum, { length }) => sum + length, 0);
  same("values in all lanes", values, question.answer.length);
  const { settings, vectors } = question;
  same("the task's hash", parameters.taskHash, taskHashOf({ ...plan, settings, vectors }));
  for (const [name, ms] of Object.entries(parameters.deadlines)) {
    if (!(ms >= 1 && ms <= longestMs)) refuse(`${name} is ${ms}; expected 1 … ${longestMs} ms`);
  }
  return parameters;
}

/** The SHA-256 of the model that the question names, which is what the device downloads and checks. */
export function modelHashOf({ vectors }: StepQuestion): string {
  const model = vectors["model"];
  if (model !== undefined) return model.sha256;
  return refuse(`the question has no vector "model", only ${Object.keys(vectors).join(", ") || "none"}`);
}

function same(what: string, found: string | number, expected: string | number): void {
  if (found !== expected) refuse(`${what}: the session says ${found}, the question ${expected}`);
}

function refuse(detail: string): never {
  throw new ProtocolError("secure_parameters", detail);
}
