import { ProtocolError } from "@tributary/protocol";

/** What a command gives back to the shell: done, failed, used wrongly. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** A command line that cannot be carried out as it stands; the message says what to change. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Errors that another command line would not have met. By name: most commands never load the coordinator's classes. */
const misuses = new Set(["UsageError", "UnsafeOptions", "DataFolderInUse"]);

/** Errors that say what this machine cannot do. */
const limits = new Set(["EngineMissing", "MemoryCapReached"]);

/** The exit code and the one line to print for whatever ended a command. Bugs keep their stack. */
export function explainFailure(error: unknown): { code: number; message: string } {
  if (error instanceof Error && misuses.has(error.name)) return { code: exitCodes.usage, message: error.message };
  if (error instanceof ProtocolError) {
    const usage = error.code === "bad_spec" || error.code === "bad_request";
    return { code: usage ? exitCodes.usage : exitCodes.failed, message: `${error.message} [${error.code}]` };
  }
  const known = error instanceof Error && ("code" in error || "syscall" in error || limits.has(error.name));
  const message = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  return { code: exitCodes.failed, message };
}
