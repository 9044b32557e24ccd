import { createHash } from "node:crypto";
import { ProtocolError, type Sha256 } from "@tributary/protocol";

/** One upload: its body as it comes in, and what its headers say of it. */
export interface Upload {
  readonly body: AsyncIterable<Uint8Array>;
  readonly bytes: number;
  readonly digest: Sha256;
}

/** An upload's bytes, at most `limit`, in memory. Throws as `verified` does, and `bad_update` past the limit. */
export async function readUpload(upload: Upload, limit: number): Promise<Uint8Array> {
  const { body, bytes } = upload;
  if (bytes > limit) throw new ProtocolError("bad_update", `expected at most ${limit} bytes, found ${bytes}`);
  return gathered(verified(body, upload), bytes);
}

/**
 * Passes the body on and throws as soon as it is not the one that was claimed: `bad_update` where it is longer or shorter,
 * `bad_digest` for another SHA-256, `request_timeout` where it breaks off. Never destroys the body, so that the caller can
 * still answer.
 */
export async function* verified(
  body: AsyncIterable<Uint8Array>,
  { bytes: expectedBytes, digest }: Omit<Upload, "body">,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let received = 0;
  // Not `for await`: leaving that loop would destroy a request's stream, and the refusal could not be sent any more.
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch((cause: unknown) => {
      const found = `the upload broke off after ${received} of ${expectedBytes} bytes: send it again`;
      throw new ProtocolError("request_timeout", found, { cause });
    });
    if (next.done) break;
    received += next.value.length;
    if (received > expectedBytes) {
      throw new ProtocolError("bad_update", `the body is longer than the ${expectedBytes} bytes the step asks for`);
    }
    hash.update(next.value);
    yield next.value;
  }
  if (received < expectedBytes) {
    throw new ProtocolError("bad_update", `the body ended after ${received} of ${expectedBytes} bytes`);
  }
  const found = hash.digest("hex");
  if (found !== digest) throw new ProtocolError("bad_digest", `the body has SHA-256 ${found}, its header ${digest}`);
}

/** All chunks in one piece of `size` bytes. */
export async function gathered(chunks: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const whole = new Uint8Array(size);
  let at = 0;
  for await (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
