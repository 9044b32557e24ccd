import { Readable } from "node:stream";
import { ProtocolError } from "@tributary/protocol";
import type { FastifyRequest } from "fastify";

/** A request's body as the stream of bytes that it came in. Throws `bad_request` if it was sent as anything else. */
export function byteBody({ body, headers }: FastifyRequest): AsyncIterable<Uint8Array> {
  if (body instanceof Readable) return body;
  const found = headers["content-type"] ?? "no Content-Type";
  throw new ProtocolError("bad_request", `The body must be sent as application/octet-stream; found ${found}.`);
}
