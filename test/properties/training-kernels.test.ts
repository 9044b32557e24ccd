import * as tf from "@tensorflow/tfjs-core";
import { seededRandom } from "@tributary/algorithm";
import { chooseEngine } from "@tributary/training";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  await chooseEngine({ force: "wasm" });
});

/**
 * Sums of up to a few thousand products of numbers in ±1 in another order: each rounds to 2⁻²⁴ of partial sums that stay
 * below 100.
 */
const tolerance = 2e-4;

/** The same work on both engines; it gives tensors, of which every value is compared. */
async function compare(work: () => tf.Tensor[]): Promise<void> {
  const results: Float32Array[][] = [];
  for (const engine of ["wasm", "cpu"]) {
    await tf.setBackend(engine);
    const tensors = tf.tidy(work);
    results.push(tensors.map((tensor) => tensor.dataSync() as Float32Array));
    tf.dispose(tensors);
  }
  const [own, plain] = results as [Float32Array[], Float32Array[]];
  expect(own.map((values) => values.length)).toEqual(plain.map((values) => values.length));
  own.forEach((values, index) => {
    values.forEach((value, i) => {
      // Without a comparison for each the test would take minutes to say what it says.
      if (!(Math.abs(value - plain[index]![i]!) < tolerance)) expect(value, `${index}[${i}]`).toBe(plain[index]![i]!);
    });
  });
}

/** Numbers in ±1 that a seed fixes, in a tensor of the current engine. */
function random(shape: number[], seed: number): tf.Tensor {
  const stream = seededRandom(seed, shape.join());
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => 2 * stream.uniform() - 1),
    shape,
  );
}

const upTo = (max: number) => fc.integer({ min: 1, max });
const images = fc.record({
  seed: fc.nat(),
  batch: upTo(3),
  height: upTo(11),
  width: upTo(11),
  channels: upTo(9),
  filters: upTo(19),
  size: fc.tuple(upTo(5), upTo(5)),
  strides: fc.tuple(upTo(3), upTo(3)),
  pad: fc.constantFrom<"same" | "valid">("same", "valid"),
});
type Images = typeof images extends fc.Arbitrary<infer One> ? One : never;
const fitting = images.filter(
  ({ height, width, size, pad }) => pad === "same" || (size[0] <= height && size[1] <= width),
);
const imagesOf = (s: Images) => random([s.batch, s.height, s.width, s.channels], s.seed) as tf.Tensor4D;

test("products agree for every transposition, bias and rectifier", async () => {
  const products = fc.record({
    seed: fc.nat(),
    stack: upTo(3),
    broadcast: fc.boolean(),
    m: upTo(40),
    n: upTo(40),
    k: fc.oneof(upTo(40), fc.integer({ min: 380, max: 800 })),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    fused: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(products, async (s) => {
      await compare(() => {
        const a = random([s.stack, ...(s.transposeA ? [s.k, s.m] : [s.m, s.k])], s.seed) as tf.Tensor3D;
        const b = random(
          [s.broadcast ? 1 : s.stack, ...(s.transposeB ? [s.n, s.k] : [s.k, s.n])],
          s.seed + 1,
        ) as tf.Tensor3D;
        const { transposeA, transposeB } = s;
        if (!s.fused) return [tf.matMul(a, b, transposeA, transposeB)];
        const bias = random([s.n], s.seed + 2);
        return [tf.fused.matMul({ a, b, transposeA, transposeB, bias, activation: "relu" })];
      });
    }),
    { numRuns: 150 },
  );
});

test("convolutions and their gradients agree for random shapes, strides and paddings", async () => {
  await fc.assert(
    fc.asyncProperty(fitting, async (s) => {
      await compare(() => {
        const x = imagesOf(s);
        const filter = random([...s.size, s.channels, s.filters], s.seed + 1) as tf.Tensor4D;
        const y = tf.conv2d(x, filter, s.strides, s.pad);
        const dy = random(y.shape, s.seed + 2) as tf.Tensor4D;
        const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
          tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, s.strides, s.pad),
        )([x, filter], dy);
        return [y, ...gradients];
      });
    }),
    { numRuns: 120 },
  );
});

test("fused convolutions agree", async () => {
  await fc.assert(
    fc.asyncProperty(fitting, fc.boolean(), async (s, rectified) => {
      await compare(() => {
        const x = imagesOf(s);
        const filter = random([...s.size, s.channels, s.filters], s.seed + 1) as tf.Tensor4D;
        const bias = random([s.filters], s.seed + 2) as tf.Tensor1D;
        const activation = rectified ? "relu" : "linear";
        return [tf.fused.conv2d({ x, filter, strides: s.strides, pad: s.pad, bias, activation })];
      });
    }),
    { numRuns: 60 },
  );
});

test("depthwise convolutions' gradients agree", async () => {
  await fc.assert(
    fc.asyncProperty(fitting, upTo(3), async (s, multiplier) => {
      const stride = s.strides[0];
      await compare(() => {
        const x = imagesOf(s);
        const filter = random([...s.size, s.channels, multiplier], s.seed + 1) as tf.Tensor4D;
        const y = tf.depthwiseConv2d(x, filter, stride, s.pad);
        const dy = random(y.shape, s.seed + 2) as tf.Tensor4D;
        return tf.grads((a: tf.Tensor, b: tf.Tensor) =>
          tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, s.pad),
        )([x, filter], dy);
      });
    }),
    { numRuns: 100 },
  );
});

test("pools' gradients agree, also where windows overlap and values tie", async () => {
  await fc.assert(
    fc.asyncProperty(fitting, fc.boolean(), async (s, ties) => {
      await compare(() => {
        const raw = imagesOf(s);
        // Two values only: nearly every window then has several largest ones.
        const x = ties ? (tf.step(raw) as tf.Tensor4D) : raw;
        const y = tf.maxPool(x, s.size, s.strides, s.pad);
        const dy = random(y.shape, s.seed + 2) as tf.Tensor4D;
        const most = tf.grad((a: tf.Tensor) => tf.maxPool(a as tf.Tensor4D, s.size, s.strides, s.pad))(x, dy);
        const mean = tf.grad((a: tf.Tensor) => tf.avgPool(a as tf.Tensor4D, s.size, s.strides, s.pad))(x, dy);
        return [y, most, mean];
      });
    }),
    { numRuns: 100 },
  );
});

test("sums by segment and Einstein's agree", async () => {
  const segments = fc.record({ seed: fc.nat(), rows: upTo(20), columns: upTo(7), segments: upTo(6) });
  await fc.assert(
    fc.asyncProperty(segments, async (s) => {
      await compare(() => {
        const stream = seededRandom(s.seed, "segments");
        const ids = tf.tensor1d(
          Int32Array.from({ length: s.rows }, () => stream.below(s.segments)),
          "int32",
        );
        const x = random([s.rows, s.columns], s.seed) as tf.Tensor2D;
        const square = random([s.columns, s.segments], s.seed + 1);
        return [
          tf.unsortedSegmentSum(x, ids, s.segments),
          tf.einsum("ij,jk->ik", x, square),
          tf.einsum("ij->j", x),
          tf.einsum("ij,ij->i", x, x),
        ];
      });
    }),
    { numRuns: 40 },
  );
});

test("kernels leave no tensor behind and keep the backend's memory as it is", async () => {
  await tf.setBackend("wasm");
  const step = () =>
    tf.tidy(() => {
      const x = random([4, 12, 12, 5], 1) as tf.Tensor4D;
      const filter = random([3, 3, 5, 20], 2) as tf.Tensor4D;
      return tf.grads((a: tf.Tensor, b: tf.Tensor) =>
        tf.maxPool(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, "same"), 2, 2, "valid"),
      )([x, filter]);
    });
  const heap = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
  for (let i = 0; i < 5; i++) tf.dispose(step());
  const before = { tensors: tf.memory().numTensors, heap: heap() };
  for (let i = 0; i < 300; i++) tf.dispose(step());
  expect({ tensors: tf.memory().numTensors, heap: heap() }).toEqual(before);
});
