import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../apps/coordinator/src/store/checkpoint.ts";

// Written out by hand from the layout: released checkpoints must stay readable.
const body =
  "54524253 01 03000000" +
  "01 0100 62 01000000 000000000000f83f" + // b = 1.5
  "02 0500 6d6f64656c 02000000 0000803f 000000c0" + // model = [1, -2]
  "03 0100 76 01000000 9a9999999999b93f"; // v = [0.1]

function withChecksum(hex: string): Uint8Array {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(bytes));
  return new Uint8Array(Buffer.concat([bytes, checksum]));
}

const state = { model: Float32Array.of(1, -2), v: Float64Array.of(0.1), b: 1.5 };

test("a checkpoint's bytes are as the format's description says", () => {
  expect(encodeCheckpoint(state)).toEqual(withChecksum(body));
  expect(decodeCheckpoint(withChecksum(body))).toEqual(state);
});

test.each([
  ["another version", body.replace("54524253 01", "54524253 02"), "its format version is 2"],
  ["an unknown kind", body.replace("01 0100 62", "07 0100 62"), "kind 7"],
  ["a number of two elements", body.replace("62 01000000", "62 02000000"), "kind 1 with 2 elements"],
  ["more elements than bytes", body.replace("76 01000000", "76 ffffffff"), "it ends too early"],
  ["more entries than there are", body.replace("01 03000000", "01 04000000"), "it ends too early"],
  ["fewer entries than there are", body.replace("01 03000000", "01 02000000"), "16 bytes are left over"],
  ["names out of order", body.replace("0100 76", "0100 61"), "not in order"],
  ["a name twice", body.replace("0100 76", "0100 62").replace("6d6f64656c", "6161616161"), "not in order"],
  ["no model", body.replace("6d6f64656c", "6d6f64656d"), "it holds no model"],
])("a checkpoint with a good checksum but %s is refused", (_, hex, message) => {
  expect(() => decodeCheckpoint(withChecksum(hex))).toThrow(message);
});
