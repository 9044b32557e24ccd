import { ProtocolError } from "@tributary/protocol";

/** Refuses data that a person chose, in a whole sentence. */
export function refuse(detail: string): never {
  throw new ProtocolError("bad_data", detail);
}
