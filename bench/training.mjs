// How fast each engine here trains McMahan's 2NN and CNN in batches of 10, beside the bare matrix multiply, stock
// TensorFlow.js on WebAssembly and a bare model.fit, all in one run. Every subject works in windows that take turns, so
// that what else the machine does meets all of them alike; a figure is the median over rounds, a ratio the median of the
// rounds' ratios. Stock TensorFlow.js and plain JavaScript have a thread of their own, for kernels are one per process;
// only one thread works at a time. Run after a build: npm run bench:training -- [--json] [--rounds N]
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { seededRandom } from "../packages/algorithm/dist/index.js";
import * as training from "../packages/training/dist/index.js";
import { compileKernels, kernelsIn } from "../packages/training/dist/kernels/load.js";

const data = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
const batchSize = 10;
const learningRate = 0.05;
const { signal } = new AbortController();

// Multiply-adds of one example forward, by layer; the way back is twice that, but for the first layer's input.
const work = { "2nn": [784 * 200, 200 * 200, 200 * 10], cnn: [784 * 25 * 32, 196 * 800 * 64, 3136 * 512, 512 * 10] };
const flops = (preset) => 6 * work[preset].reduce((sum, layer) => sum + layer, 0) - 2 * work[preset][0];

/** Our own training loop: gradients, optimizer, and the weights handed in and out. Gives examples per second. */
async function ownLoop({ engine, preset, examples, graph }) {
  const model = graph ? { topology: graphOf(preset) } : { preset };
  const trainer = await training.createTrainer({ model, data, engine });
  const weights = await training.initialWeights({ model: { preset }, data, seed: 1 });
  const set = training.digits({ count: examples, seed: 1, split: "train" });
  const job = { weights, data: set, epochs: 1, batchSize, learningRate, signal };
  return async () => {
    const random = seededRandom(1, "order");
    const start = performance.now();
    await trainer.train({ ...job, random });
    return (1000 * examples) / (performance.now() - start);
  };
}

/** The same model as a graph, for which the engine has no way of its own: TensorFlow.js's operations on our kernels. */
function graphOf(preset) {
  const { layers: sequence } = training.topologyOf({ preset }, data).config;
  const names = ["in", ...sequence.map((layer) => layer.config.name)];
  const input = {
    class_name: "InputLayer",
    config: { name: "in", batch_input_shape: [null, ...data.shape] },
    inbound_nodes: [],
  };
  const nodes = sequence.map(({ class_name, config: { batch_input_shape: _, ...config } }, i) => ({
    ...{ class_name, name: config.name, config },
    inbound_nodes: [[[names[i], 0, 0]]],
  }));
  const ends = { input_layers: [["in", 0, 0]], output_layers: [[names.at(-1), 0, 0]] };
  return { class_name: "Functional", config: { name: "graph", layers: [input, ...nodes], ...ends } };
}

/** TensorFlow.js's `model.fit`, or a bare loop of `optimizer.minimize`, on a backend that is set already. */
async function library({ backend, preset, examples, fit }) {
  await tf.setBackend(backend);
  const model = await layers.models.modelFromJSON({ modelTopology: training.topologyOf({ preset }, data) });
  const set = training.digits({ count: examples, seed: 1, split: "train" });
  const pixels = tf.tensor(
    Float32Array.from(set.pixels, (value) => value / 255),
    [examples, ...data.shape],
  );
  const targets = tf.tensor(
    Float32Array.from({ length: examples * 10 }, (_, i) => +(set.labels[Math.floor(i / 10)] === i % 10)),
    [examples, 10],
  );
  const optimizer = tf.train.sgd(learningRate);
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  return async () => {
    await tf.setBackend(backend);
    const start = performance.now();
    if (fit) await model.fit(pixels, targets, { epochs: 1, batchSize, yieldEvery: "never", verbose: 0 });
    else {
      for (let from = 0; from + batchSize <= examples; from += batchSize) {
        tf.tidy(() => {
          const [x, y] = [pixels, targets].map((all) => tf.slice(all, [from], [batchSize]));
          optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x)));
        });
      }
      await model.weights[0].read().data();
    }
    return (1000 * examples) / (performance.now() - start);
  };
}

const side = 512;
const times = (count, product) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) product();
  return (count * 2 * side ** 3) / (performance.now() - start) / 1e6;
};

/** Our matrix multiply by itself, in GFLOP/s. */
async function ownProduct({ transposeA = 0, transposeB = 0 }) {
  const memory = new WebAssembly.Memory({ initial: 128 });
  const kernels = kernelsIn(memory, await compileKernels());
  const [a, b, c, scratch] = [1, 2, 3, 4].map((megabytes) => megabytes << 20);
  new Float32Array(memory.buffer).fill(0.5);
  return async () => times(20, () => kernels.product(transposeA, transposeB, side, side, side, a, b, 0, c, 0, scratch));
}

/** The library's, in GFLOP/s. */
async function libraryProduct({ backend, transposeA = false, transposeB = false }) {
  await tf.setBackend(backend);
  const [a, b] = [1, 2].map((seed) => tf.randomUniform([side, side], -1, 1, "float32", seed));
  return async () => times(4, () => tf.dispose(tf.matMul(a, b, transposeA, transposeB)));
}

const kinds = { ownLoop, library, ownProduct, libraryProduct };

if (!isMainThread) {
  if (workerData.stock) {
    const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    setThreadsCount(1);
  } else if (workerData.engine !== undefined) await training.chooseEngine({ force: workerData.engine });
  const ready = new Map();
  parentPort.on("message", async ({ name, kind, given }) => {
    if (!ready.has(name)) ready.set(name, await kinds[kind](given));
    parentPort.postMessage(await ready.get(name)());
  });
} else await main();

async function main() {
  const json = process.argv.includes("--json");
  const rounds = Number(process.argv[process.argv.indexOf("--rounds") + 1]) || 5;
  const report = await training.engineReport();
  const print = (record) => console.log(json ? JSON.stringify(record) : describe(record));
  for (const finding of report) print(finding);

  const threads = new Map();
  const ask = (thread, subject) => {
    const { options } = subject;
    if (!threads.has(thread)) {
      threads.set(thread, new Worker(fileURLToPath(import.meta.url), { workerData: options }));
    }
    const worker = threads.get(thread);
    return new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (value) => {
        worker.off("error", reject);
        resolve(value);
      });
      worker.postMessage({ name: subject.name, kind: subject.kind, given: subject.given });
    });
  };
  const own = (engine, preset, examples, more = {}) => ({
    ...{ name: `${preset} ${engine}${more.graph ? " graph" : ""}`, thread: engine, options: { engine } },
    ...{ kind: "ownLoop", given: { engine, preset, examples, ...more }, preset },
    ...(engine === "cpu" && preset === "cnn" ? { every: 2 } : {}),
  });
  const stock = { thread: "stock", options: { stock: true } };
  const ours = { thread: "wasm", options: { engine: "wasm" } };
  const fast = report.filter(({ present, engine }) => present && !["wasm", "cpu"].includes(engine));
  const subjects = [
    ...fast.flatMap(({ engine }) => [own(engine, "2nn", 1000), own(engine, "cnn", 100)]),
    own("wasm", "2nn", 6000),
    {
      name: "2nn wasm fit",
      ...ours,
      kind: "library",
      given: { backend: "wasm", preset: "2nn", examples: 1500, fit: true },
      preset: "2nn",
    },
    own("wasm", "2nn", 1500, { graph: true }),
    {
      name: "2nn stock",
      ...stock,
      kind: "library",
      given: { backend: "wasm", preset: "2nn", examples: 600 },
      preset: "2nn",
    },
    {
      name: "2nn stock fit",
      ...stock,
      kind: "library",
      given: { backend: "wasm", preset: "2nn", examples: 600, fit: true },
      preset: "2nn",
    },
    { name: "product", ...ours, kind: "ownProduct", given: {} },
    own("wasm", "cnn", 200),
    { name: "product aᵀb", ...ours, kind: "ownProduct", given: { transposeA: 1 } },
    own("wasm", "cnn", 300, { graph: true }),
    {
      name: "cnn wasm fit",
      ...ours,
      kind: "library",
      given: { backend: "wasm", preset: "cnn", examples: 300, fit: true },
      preset: "cnn",
    },
    { name: "product stock", ...stock, kind: "libraryProduct", given: { backend: "wasm" } },
    { name: "product stock aᵀb", ...stock, kind: "libraryProduct", given: { backend: "wasm", transposeA: true } },
    { name: "product stock abᵀ", ...stock, kind: "libraryProduct", given: { backend: "wasm", transposeB: true } },
    own("cpu", "2nn", 100),
    own("cpu", "cnn", batchSize),
  ];
  const rates = new Map(subjects.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const subject of subjects) {
      // Plain JavaScript takes half a minute for one batch of the CNN; nothing is gained by warming it up.
      if (round < 0 && subject.name === "cnn cpu") continue;
      const rate = await ask(subject.thread, subject);
      // The first round lets the compilers finish.
      if (round >= 0) rates.get(subject.name).push(rate);
    }
    if (!json) process.stderr.write(round < 0 ? "warm\n" : `round ${round + 1} of ${rounds}\n`);
  }
  for (const { name, preset } of subjects) {
    const values = rates.get(name);
    const rate = median(values);
    const unit = preset === undefined ? "GFLOP/s" : "examples/s";
    const gflops = preset === undefined ? rate : (rate * flops(preset)) / 1e9;
    print({ subject: name, rate: round3(rate), unit, gflops: round3(gflops), windows: values.map(round3) });
  }
  const ratio = (a, b, scale = 1) => round3(median(rates.get(a).map((value, i) => (scale * value) / rates.get(b)[i])));
  const loopToFit = ["2nn", "cnn"].map((preset) => ratio(`${preset} wasm fit`, `${preset} wasm graph`));
  const stockFaster =
    median(rates.get("2nn stock")) >= median(rates.get("2nn stock fit")) ? "2nn stock" : "2nn stock fit";
  print({
    machine: { cpu: (await import("node:os")).cpus()[0].model, node: process.version, rounds },
    ratios: {
      cnnWasmToPlain: ratio("cnn wasm", "cnn cpu"),
      twoNnWasmToStockWasm: ratio("2nn wasm", stockFaster),
      stepToMatmul: ratio("cnn wasm", "product", flops("cnn") / 1e9),
      // Times, not rates: what our loop takes by the same operations, and by the engine's own way, over model.fit's.
      loopToFit: Math.max(...loopToFit),
      directToFit: Math.max(ratio("2nn wasm fit", "2nn wasm"), ratio("cnn wasm fit", "cnn wasm")),
      matmulToStock: ratio("product", "product stock"),
      matmulToStockTransposedLeft: ratio("product aᵀb", "product stock aᵀb"),
      matmulToStockTransposedRight: ratio("product", "product stock abᵀ"),
    },
  });
  for (const worker of threads.values()) await worker.terminate();
  process.exit(0);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

function round3(value) {
  return Number(value.toPrecision(3));
}

function describe(record) {
  if ("ratios" in record) return JSON.stringify(record, undefined, 2);
  if ("engine" in record) {
    const { engine, what, present, why, command, drawback } = record;
    const state = present ? `present${drawback ? ` (${drawback})` : ""}` : `absent: ${why}`;
    return `${engine} (${what}): ${state}${command ? `; to add it: ${command}` : ""}`;
  }
  const { subject, rate, unit, gflops } = record;
  return `${subject.padEnd(20)} ${String(rate).padStart(8)} ${unit.padEnd(10)} ${String(gflops).padStart(6)} GFLOP/s`;
}
