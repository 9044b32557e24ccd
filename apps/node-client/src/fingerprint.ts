import { ProtocolError } from "@tributary/protocol";

/** A certificate's SHA-256 as 64 lower-case hexadecimal digits, from any case, with or without colons. Throws `bad_request`. */
export function parseFingerprint(text: string): string {
  const digits = text.replaceAll(":", "").trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new ProtocolError(
    "bad_request",
    `fingerprint: expected the 64 hexadecimal digits (colons allowed) that the coordinator printed, found "${text}"`,
  );
}
