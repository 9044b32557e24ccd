import { ProtocolError } from "@tributary/protocol";

/** A session failed through the fault of these members: roster indices, ascending. */
export class BlameError extends ProtocolError {
  readonly culprits: readonly number[];

  constructor(detail: string, culprits: readonly number[]) {
    super("secure_bad_share", detail);
    this.culprits = culprits;
  }
}
