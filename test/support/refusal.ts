import { ProtocolError, type RefusalCode } from "@tributary/protocol";

/** The code with which a promise was refused; throws if it was fulfilled, or rejected with anything else. */
export async function refusal(promise: Promise<unknown>): Promise<RefusalCode> {
  const error = await promise.then(
    () => new Error("expected a refusal, but it was accepted"),
    (reason: unknown) => reason,
  );
  if (error instanceof ProtocolError) return error.code;
  throw error;
}
