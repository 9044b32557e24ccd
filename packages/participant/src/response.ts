import { Problem, ProtocolError, parse } from "@tributary/protocol";
import type { Static, TSchema } from "typebox";

/** What the device reads of an HTTP response: the part of the Fetch standard's that it needs. */
export interface HttpResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: ByteStream | null;
}

interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** The body's bytes. Throws `bad_request` past `limit` bytes, so that a response cannot fill the device's memory. */
export async function readBytes(response: HttpResponse, limit: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) break;
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel();
      throw new ProtocolError("bad_request", `the response is longer than the ${limit} bytes expected`);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

const jsonLimit = 4 << 20;

/** The body as JSON of `schema`. Throws `bad_request` saying what is wrong with it. */
export async function readJson<Schema extends TSchema>(
  response: HttpResponse,
  schema: Schema,
  what: string,
): Promise<Static<Schema>> {
  return parse(schema, await json(response, what), { what });
}

/** The refusal that a response tells of. A body that is no problem document becomes `internal` with the status. */
export async function readRefusal(response: HttpResponse, what: string): Promise<ProtocolError> {
  try {
    return ProtocolError.from(parse(Problem, await json(response, what), { what }));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return new ProtocolError("internal", `${what}: HTTP status ${response.status} without a problem document`);
  }
}

async function json(response: HttpResponse, what: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(response, jsonLimit));
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError("bad_request", `${what}: expected JSON, found ${JSON.stringify(text.slice(0, 60))}`);
  }
}
