import { elementOf, elements, ProtocolError, type Vector, type VectorReference } from "@tributary/protocol";
import { abortable } from "./clock.ts";
import { hex, sha256 } from "./digest.ts";

type Held =
  | { readonly kind: "coming"; readonly vector: Promise<Vector> }
  | { readonly kind: "here"; readonly vector: Vector };

/**
 * Vectors by the SHA-256 of their bytes (little-endian elements, nothing else), the least recently used given up first. Devices of one process share one: a
 * model travels once, however many of them train it. The vectors are shared too, so nobody may write to them.
 */
export class BlobCache {
  readonly #capacity: number;
  readonly #held = new Map<string, Held>();

  constructor(options: { capacity?: number } = {}) {
    this.#capacity = options.capacity ?? 4;
  }

  /**
   * The vector of `reference`, by `download` unless it is held or on its way. Throws `model_hash_mismatch` for bytes that
   * are not the ones named, `bad_request` for a reference that contradicts itself.
   */
  async vector(reference: VectorReference, download: () => Promise<Uint8Array>, signal: AbortSignal): Promise<Vector> {
    const { sha256: name } = reference;
    for (let held = this.#held.get(name); held !== undefined; held = this.#held.get(name)) {
      if (held.kind === "here") {
        this.#held.delete(name);
        this.#held.set(name, held);
        return sameShape(held.vector, reference);
      }
      try {
        return sameShape(await abortable(held.vector, signal), reference);
      } catch {
        // Another device's download failed, perhaps because it left; this one tries for itself.
        signal.throwIfAborted();
      }
    }
    const coming: Held = { kind: "coming", vector: fetchVector(reference, download) };
    this.#held.set(name, coming);
    try {
      const vector = await coming.vector;
      this.#held.set(name, { kind: "here", vector });
      this.#evict();
      return vector;
    } catch (error) {
      this.#held.delete(name);
      throw error;
    }
  }

  #evict(): void {
    for (const [name, held] of this.#held) {
      if (this.#held.size <= this.#capacity) return;
      if (held.kind === "here") this.#held.delete(name);
    }
  }
}

async function fetchVector(reference: VectorReference, download: () => Promise<Uint8Array>): Promise<Vector> {
  const { sha256: expected, bytes, element, length } = reference;
  if (bytes !== length * elements[element].bytes) {
    const detail = `vector ${expected}: ${length} ${element} make ${length * elements[element].bytes} bytes, not ${bytes}`;
    throw new ProtocolError("bad_request", detail);
  }
  const blob = await download();
  const found = hex(await sha256(blob));
  if (found !== expected) {
    const detail = `expected ${bytes} bytes with SHA-256 ${expected}, found ${blob.byteLength} with ${found}; not used`;
    throw new ProtocolError("model_hash_mismatch", detail);
  }
  const { buffer, byteOffset } = blob.byteOffset % elements[element].bytes === 0 ? blob : blob.slice();
  return element === "f32"
    ? new Float32Array(buffer, byteOffset, length)
    : new Float64Array(buffer, byteOffset, length);
}

function sameShape(vector: Vector, { element, length, sha256: name }: VectorReference): Vector {
  const found = elementOf(vector);
  if (found === element && vector.length === length) return vector;
  throw new ProtocolError(
    "bad_request",
    `vector ${name}: the question says ${length} ${element}, another said ${vector.length} ${found}`,
  );
}
