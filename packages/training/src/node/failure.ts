import { ProtocolError } from "@tributary/protocol";
import type { Failure } from "./thread-messages.ts";

/** An error in a form that passes between threads. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ProtocolError) return { problem: error.problem() };
  return error instanceof Error
    ? { message: error.message, stack: error.stack }
    : { message: String(error), stack: undefined };
}

/** The error that `failureOf` was given, as far as it passes. */
export function errorOf(failure: Failure): Error {
  if ("problem" in failure) return ProtocolError.from(failure.problem);
  const error = new Error(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
