import { ProtocolError } from "@tributary/protocol";

/** Refuses data, saying what is wrong where; the sentence's full stop is added. */
export function badData(detail: string, cause?: unknown): never {
  throw new ProtocolError("bad_data", `${detail}.`, { cause });
}
