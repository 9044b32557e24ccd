import type { ServerState } from "@tributary/algorithm";
import type { Sha256 } from "@tributary/protocol";
import type { Blobs } from "./store/blobs.ts";
import { decodeCheckpoint } from "./store/checkpoint.ts";

/** What a server half had after some round: its model and everything that was checkpointed with it. Throws DamagedBlob. */
export async function loadServerState(
  blobs: Blobs,
  version: { readonly sha256: Sha256; readonly checkpoint: Sha256 },
): Promise<ServerState> {
  const [checkpoint, model] = [await blobs.get(version.checkpoint), await blobs.get(version.sha256)];
  const state = decodeCheckpoint(checkpoint);
  return { ...state, model: state.model instanceof Float64Array ? doubles(model) : floats(model) };
}

/** The float64 vector in a blob's bytes; a copy where they are not aligned. */
export function doubles(bytes: Uint8Array): Float64Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
}

/** The float32 vector in a blob's bytes; a copy where they are not aligned. */
export function floats(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
