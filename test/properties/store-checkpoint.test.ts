import type { ServerState } from "@tributary/algorithm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../apps/coordinator/src/store/checkpoint.ts";

const value = fc.oneof(fc.double(), fc.float32Array({ maxLength: 20 }), fc.float64Array({ maxLength: 20 }));
const extras = fc.dictionary(
  fc.string({ unit: "grapheme", maxLength: 8 }).filter((name) => name !== "model"),
  value,
  { maxKeys: 6 },
);
const anyState: fc.Arbitrary<ServerState> = fc
  .tuple(fc.float32Array({ maxLength: 50 }), extras)
  .map(([model, others]) => ({ ...others, model }));

test("decode(encode(state)) = state, to the bit and in arrays of its own", () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const bytes = encodeCheckpoint(state);
      const decoded = decodeCheckpoint(bytes);
      expect(decoded).toEqual(state);
      bytes.fill(0);
      expect(encodeCheckpoint(decoded)).toEqual(encodeCheckpoint(state));
    }),
  );
});

test("equal states have equal bytes, in whatever order their parts were added", () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const backwards = Object.fromEntries(Object.entries(state).reverse()) as ServerState;
      expect(encodeCheckpoint(backwards)).toEqual(encodeCheckpoint(state));
    }),
  );
});

test("a checkpoint is read from the middle of a larger buffer, at any alignment", () => {
  fc.assert(
    fc.property(anyState, fc.nat({ max: 9 }), (state, offset) => {
      const bytes = encodeCheckpoint(state);
      const larger = new Uint8Array(bytes.length + offset + 3).fill(0xff);
      larger.set(bytes, offset);
      const decoded = decodeCheckpoint(larger.subarray(offset, offset + bytes.length));
      expect(encodeCheckpoint(decoded)).toEqual(bytes);
    }),
  );
});

test("a checkpoint that is cut short anywhere, or longer, is refused", () => {
  fc.assert(
    fc.property(anyState, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (state, at, more) => {
      const bytes = encodeCheckpoint(state);
      expect(() => decodeCheckpoint(bytes.subarray(0, at % bytes.length))).toThrow("not a server state's checkpoint");
      expect(() => decodeCheckpoint(Uint8Array.of(...bytes, ...more))).toThrow("not a server state's checkpoint");
    }),
  );
});

test("a checkpoint with any byte changed is refused", () => {
  fc.assert(
    fc.property(anyState, fc.nat(), fc.integer({ min: 1, max: 255 }), (state, at, change) => {
      const bytes = encodeCheckpoint(state);
      bytes[at % bytes.length]! ^= change;
      expect(() => decodeCheckpoint(bytes)).toThrow("not a server state's checkpoint");
    }),
  );
});

test("arbitrary bytes are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => decodeCheckpoint(bytes)).toThrow("not a server state's checkpoint");
    }),
  );
});
