import { createHash } from "node:crypto";
import { ProtocolError } from "@tributary/protocol";
import type { Upload } from "./collection.ts";

/** A small upload's bytes, at most `limit`, verified against its headers. Counts the bytes itself. */
export async function readUpload({ body, bytes, digest }: Upload, limit: number): Promise<Uint8Array> {
  if (bytes > limit) throw new ProtocolError("bad_update", `expected at most ${limit} bytes, found ${bytes}`);
  const whole = new Uint8Array(bytes);
  let at = 0;
  for await (const chunk of body) {
    if (at + chunk.length > bytes) throw new ProtocolError("bad_update", `the body is longer than its ${bytes} bytes`);
    whole.set(chunk, at);
    at += chunk.length;
  }
  if (at < bytes) throw new ProtocolError("bad_update", `the body ended after ${at} of ${bytes} bytes`);
  const found = createHash("sha256").update(whole).digest("hex");
  if (found !== digest) throw new ProtocolError("bad_digest", `the body has SHA-256 ${found}, its header ${digest}`);
  return whole;
}
