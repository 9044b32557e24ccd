// Secure aggregation in one process: the symbols of the cost formula, the protocol against it, the kernel, the traffic.
//
//   node bench/secure-agg.mjs --clients 100 --size 100000 --drop 0.1 [--neighbours k --threshold t] [--bits 16]
//                             [--weight-levels 16] [--shard none|auto] [--traffic-only] [--json]
//
// All times are CPU seconds of this process. Runs dist: build first. The last line is JSON with --json.
import * as nodeCryptoModule from "node:crypto";
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import * as secure from "../packages/secure-agg/dist/index.js";
import { verifyKeys } from "../packages/secure-agg/dist/message/advertisement.js";
import { decodeMasked, encodeMasked } from "../packages/secure-agg/dist/message/masked.js";
import { pairMask } from "../packages/secure-agg/dist/session/mask-seeds.js";

const kernel = await secure.loadKernel();
const crypto = secure.nodeCrypto(nodeCryptoModule);
const modelHash = "ab".repeat(32);

async function main() {
  const options = readOptions();
  const shards = options.shard === "auto" ? secure.shardSizes(options.clients) : [options.clients];
  const parameters = parametersOf(options, shards[0], shards.length);
  const traffic = secure.uploadBytes(parameters);
  const kernelRatios = measureKernel();
  let figures = { ...kernelRatios };
  if (options.trafficOnly) figures = { ...figures, bytesUpPerClient: traffic.total, measured: "sizes only" };
  else figures = { ...figures, ...(await measureSession(options, parameters)), shards: shards.length };
  const perValue = figures.bytesUpPerClient / options.size;
  figures = { ...figures, expansionToClear16: perValue / 2, expansionToClearFloat32: perValue / 4 };
  const shape = parameters.graph.kind === "complete" ? "complete graph" : `${parameters.graph.neighbours} neighbours`;
  const { clients, size } = options;
  console.log(
    `${clients} clients in ${shards.length} session(s) of ${shards[0]}, ${shape}, threshold ${parameters.threshold}`,
  );
  console.log(`${size} values of ${options.bits} bits, W = ${options.weightLevels}, ${parameters.wordBits}-bit words`);
  for (const [name, value] of Object.entries(figures)) {
    if (typeof value === "object") {
      const symbols = Object.entries(value).map(([symbol, cost]) => `${symbol} ${(1e6 * cost).toFixed(1)} µs`);
      console.log(`  ${name.padEnd(24)} ${symbols.join(", ")}`);
    } else console.log(`  ${name.padEnd(24)} ${typeof value === "number" ? Number(value.toPrecision(5)) : value}`);
  }
  if (options.json) console.log(JSON.stringify(figures));
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "20" },
      neighbours: { type: "string" },
      threshold: { type: "string" },
      size: { type: "string", default: "100000" },
      drop: { type: "string", default: "0.1" },
      bits: { type: "string", default: "16" },
      "weight-levels": { type: "string", default: "16" },
      shard: { type: "string", default: "auto" },
      "traffic-only": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const number = (name) => (values[name] === undefined ? undefined : Number(values[name]));
  return {
    clients: number("clients"),
    neighbours: number("neighbours"),
    threshold: number("threshold"),
    size: number("size"),
    drop: number("drop"),
    bits: number("bits"),
    weightLevels: number("weight-levels"),
    shard: values.shard,
    trafficOnly: values["traffic-only"],
    json: values.json,
  };
}

function parametersOf({ neighbours, threshold, size, bits, weightLevels }, clients, shards) {
  const planned =
    neighbours === undefined
      ? secure.planGraph(clients)
      : { shape: { kind: "circulant", neighbours }, threshold: threshold };
  if (planned === undefined) throw new Error(`no graph for ${clients} clients within GF(256): use --shard auto`);
  const lanes = [{ name: "model", length: size, encoding: { kind: "update", clip: 1, bits } }];
  return {
    version: 1,
    run: "run-benchmark",
    round: 0,
    attempt: 1,
    kind: "train",
    modelVersion: 0,
    modelHash,
    taskHash: "cd".repeat(32),
    shard: { index: 0, count: shards },
    clients,
    graph: planned.shape,
    threshold: planned.threshold,
    rule: "strict",
    minimumSurvivors: secure.defaultMinimumSurvivors(clients),
    lanes,
    wordBits: secure.wordBitsNeeded({ clients, weightLevels, lanes }),
    weightLevels,
    weightCap: 100,
    prg: "chacha20",
    deadlines: { trainMs: 60_000, stepMs: 10_000 },
  };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const cpuSeconds = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

/** Medians of 25 interleaved windows, in GB/s of words that the mask is folded into. */
function measureKernel() {
  const words = new Uint32Array(1 << 17);
  const seed = nodeCryptoModule.randomBytes(32);
  const portable = secure.portableKernel();
  const chunk = Buffer.alloc(65_536);
  const contestants = {
    kernel: () => kernel.apply(words, [{ seed, subtract: false }]),
    // The mask by @noble/ciphers and a loop that adds it.
    noble: () => portable.apply(words, [{ seed, subtract: false }]),
    // The keystream only, in 64 KiB updates; nothing is added.
    node: () => {
      const cipher = nodeCryptoModule.createCipheriv("chacha20", seed, Buffer.alloc(16));
      for (let at = 0; at < words.byteLength; at += chunk.length) cipher.update(chunk);
    },
  };
  const rates = { kernel: [], noble: [], node: [] };
  for (let window = 0; window < 28; window++) {
    for (const [name, work] of Object.entries(contestants)) {
      const repeats = name === "noble" ? 6 : 40;
      const start = process.cpuUsage();
      for (let i = 0; i < repeats; i++) work();
      // The first three windows warm up.
      if (window >= 3) rates[name].push((repeats * words.byteLength) / cpuSeconds(start) / 1e9);
    }
  }
  const [own, noble, node] = [median(rates.kernel), median(rates.noble), median(rates.node)];
  return { kernelGBs: own, kernelToNoble: own / noble, kernelToNodeKeystream: own / node };
}

/** Median CPU seconds of one call, over enough calls to see the clock move. */
async function symbol(work, { windows = 21, seconds = 0.02 } = {}) {
  for (let i = 0; i < 3; i++) await work();
  const start = process.cpuUsage();
  await work();
  const repeats = Math.max(1, Math.ceil(seconds / Math.max(1e-6, cpuSeconds(start))));
  const costs = [];
  for (let window = 0; window < windows; window++) {
    const begin = process.cpuUsage();
    for (let i = 0; i < repeats; i++) await work();
    costs.push(cpuSeconds(begin) / repeats);
  }
  return median(costs);
}

async function measureFormula(parameters, values) {
  const { threshold, graph, clients, wordBits } = parameters;
  const holders = graph.kind === "complete" ? clients : graph.neighbours;
  const seed = crypto.randomBytes(32);
  const words = secure.encodeContribution(parameters, { values, weight: 100 }, { kernel, seed });
  const size = parameters.lanes[0].length;
  const long = size > 1_000_000 ? { windows: 7 } : {};
  const context = { sessionId: crypto.randomBytes(32), info: crypto.randomBytes(128) };
  const own = await secure.freshKeyPair(crypto);
  const keys = await Promise.all(Array.from({ length: 64 }, () => secure.freshKeyPair(crypto)));
  let at = 0;
  const signer = secure.nodeSigner(nodeCryptoModule, crypto.randomBytes(32));
  const { state, answer } = await secure.advertise(
    { crypto, kernel, floors: secure.defaultFloors, admits: () => true },
    { client: "client-0", signer, revealed: new Set(), modelHash },
    secure.encodeParameters(parameters),
  );
  const advertisement = {
    channelKey: answer.slice(36, 68),
    maskKey: answer.slice(68, 100),
    signature: answer.slice(100),
  };
  const bound = { configHash: state.configHash, client: "client-0", identityKey: signer.publicKey };
  if (!(await verifyKeys(crypto, bound, advertisement))) throw new Error("the benchmark's own signature is bad");
  const splitting = { threshold, shares: holders, randomBytes: crypto.randomBytes };
  const shares = secure.split(seed, splitting).slice(0, threshold);
  const packed = secure.packWords(words, wordBits);
  const sum = new Uint32Array(words.length);
  const message = await encodeMasked(crypto, context.sessionId, packed);
  const formula = {
    T: await symbol(() => kernel.apply(words, [{ seed, subtract: false }]), long),
    X: await symbol(() => {
      const peer = keys[at++ % keys.length];
      return pairMask(crypto, context, { member: 0, secretKey: own.secretKey, peer: 1, peerKey: peer.publicKey });
    }),
    V: await symbol(() => verifyKeys(crypto, bound, advertisement)),
    S: await symbol(() => secure.split(seed, splitting)),
    C: await symbol(() => secure.combine(shares)),
    Q: await symbol(() => secure.encodeContribution(parameters, { values, weight: 100 }, { kernel, seed }), long),
    P: await symbol(() => encodeMasked(crypto, context.sessionId, secure.packWords(words, wordBits)), long),
    I: await symbol(async () => {
      const bytes = await decodeMasked(crypto, context.sessionId, message, packed.length);
      secure.addPacked(sum, bytes, wordBits);
    }, long),
  };
  return formula;
}

async function measureSession(options, parameters) {
  const { clients } = parameters;
  const values = Float32Array.from({ length: options.size }, (_, i) => Math.sin(i));
  const before = await measureFormula(parameters, values);
  const clientCpu = new Float64Array(clients);
  let serverCpu = 0;
  const up = new Float64Array(clients);
  let down = 0;
  const asServer = async (work) => {
    const start = process.cpuUsage();
    const result = await work();
    serverCpu += cpuSeconds(start);
    return result;
  };
  const asClient = async (client, work) => {
    const start = process.cpuUsage();
    const result = await work();
    clientCpu[client] += cpuSeconds(start);
    up[client] += result.length;
    return result;
  };
  const plain = new Uint32Array(Math.ceil((options.size + 1) / 64) * 64);
  const leavers = new Set(
    Array.from({ length: Math.floor(options.drop * clients) }, (_, i) => Math.floor(i / options.drop)),
  );
  const name = (client) => `client-${String(client).padStart(6, "0")}`;
  const sessions = [];
  const advertising = await asServer(() => secure.openSession(parameters));
  for (let client = 0; client < clients; client++) {
    // The device key is made once in a device's life.
    const signer = secure.nodeSigner(nodeCryptoModule, crypto.randomBytes(32));
    const ports = { crypto, kernel, floors: secure.defaultFloors, admits: () => true };
    const self = { client: name(client), signer, revealed: new Set(), modelHash };
    const hooks = {
      async words(own) {
        const seed = crypto.randomBytes(32);
        const words = secure.encodeContribution(own, { values, weight: 50 + (client % 50) }, { kernel, seed });
        if (!leavers.has(client)) {
          // The check's own cost is nobody's.
          const start = process.cpuUsage();
          for (let i = 0; i < words.length; i++) plain[i] += words[i];
          clientCpu[client] -= cpuSeconds(start);
        }
        return words;
      },
      persist: async () => {},
    };
    const advertisement = await asClient(client, async () => {
      const session = await secure.openClientSession(ports, self, { question: advertising.question, hooks });
      sessions.push(session);
      return session.advertisement;
    });
    down += advertising.question.length;
    const from = { client: name(client), identityKey: signer.publicKey, crypto };
    await asServer(() => secure.receiveAdvertisement(advertising, from, advertisement));
  }
  const sharing = await asServer(() => secure.closeAdvertising(advertising));
  for (let member = 0; member < clients; member++) {
    const answer = await asClient(member, () => sessions[member].answer(sharing.question));
    down += sharing.question.length;
    await asServer(() => secure.receiveShares(sharing, member, answer));
  }
  const masking = await asServer(() => secure.closeSharing(sharing));
  for (let member = 0; member < clients; member++) {
    if (leavers.has(member)) continue;
    const question = await asServer(() => secure.maskQuestionFor(masking, member));
    down += question.length;
    const answer = await asClient(member, () => sessions[member].answer(question));
    await asServer(() => secure.receiveMasked(masking, { member, crypto }, answer));
  }
  const confirming = await asServer(() => secure.closeMasking(masking));
  for (const member of confirming.survivors) {
    down += confirming.question.length;
    const answer = await asClient(member, () => sessions[member].answer(confirming.question));
    await asServer(() => secure.receiveConfirmation(confirming, member, answer));
  }
  const unmasking = await asServer(() => secure.closeConfirming(confirming));
  for (const member of unmasking.survivors) {
    const question = await asServer(() => secure.unmaskQuestionFor(unmasking, member));
    down += question.length;
    const answer = await asClient(member, () => sessions[member].answer(question));
    await asServer(() => secure.receiveReveal(unmasking, member, answer));
  }
  const unmaskLoopDelayP99Ms = await unmaskInWorker(unmasking);
  const result = await asServer(() => secure.unmaskSum(unmasking, { crypto, kernel }));
  const mask = parameters.wordBits === 32 ? 0xffff_ffff : 2 ** parameters.wordBits - 1;
  const exact = plain.every((word, i) => (word & mask) >>> 0 === result.words[i]);

  // The machine's speed drifts: the symbols are measured before and after the session, and their means count.
  const after = await measureFormula(parameters, values);
  const formula = {};
  for (const name of Object.keys(before)) formula[name] = (before[name] + after[name]) / 2;
  const { T, X, V, S, C, Q, P, I } = formula;
  const peers = unmasking.graph.peers(0).length;
  const clientFormula = (peers + 1) * T + 2 * peers * X + peers * V + 2 * S + Q + P;
  const survivors = unmasking.survivors.size;
  let remaining = 0;
  for (const member of leavers) {
    remaining += unmasking.graph.peers(member).filter((peer) => unmasking.survivors.has(peer)).length;
  }
  const server = (survivors + remaining) * T + survivors * I + remaining * X + clients * C;
  const clientCpuSeconds = median([...clientCpu].filter((_, client) => !leavers.has(client)));
  return {
    clientCpuSeconds,
    serverCpuSeconds: serverCpu,
    clientToFormula: clientCpuSeconds / clientFormula,
    serverToFormula: serverCpu / server,
    formula,
    expansions: survivors + remaining,
    ingestGBs: secure.packedBytes(plain.length, parameters.wordBits) / I / 1e9,
    bytesUpPerClient: median([...up].filter((_, client) => !leavers.has(client))),
    bytesDownPerClient: down / clients,
    unmaskLoopDelayP99Ms,
    exact,
  };
}

/** Unmasks a copy of the sum in one worker thread, as a coordinator does, and watches this thread's event loop. */
async function unmaskInWorker(unmasking) {
  const workers = Array.from(
    { length: Math.max(1, availableParallelism() - 1) },
    () => new Worker(new URL(import.meta.url)),
  );
  const ask = (worker, request) =>
    new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.postMessage(request);
    });
  await Promise.all(workers.map((worker) => ask(worker, { kind: "ready" })));
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const pending = secure.recoveries(unmasking);
  const cut = (items) => workers.map((_, i) => items.filter((__, index) => index % workers.length === i));
  const each = async (parts, request) =>
    (await Promise.all(parts.map((part, i) => ask(workers[i], request(part))))).flat();
  const recovered = await each(cut(pending), (part) => ({ kind: "recover", part }));
  const tasks = secure.maskTasks(unmasking, recovered);
  const operations = await each(cut(tasks), (part) => ({ kind: "derive", part }));
  const shared = new Uint32Array(new SharedArrayBuffer(unmasking.sum.byteLength));
  shared.set(unmasking.sum);
  await each(secure.wordRanges(shared.length, workers.length), (range) => ({
    kind: "apply",
    shared,
    operations,
    range,
  }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.disable();
  await Promise.all(workers.map((worker) => worker.terminate()));
  return delay.percentile(99) / 1e6 - 5;
}

function serveUnmasking() {
  parentPort.on("message", async (request) => {
    switch (request.kind) {
      case "ready":
        return parentPort.postMessage([]);
      case "recover": {
        const recovered = [];
        for (const one of request.part) recovered.push(await secure.recover(one, crypto));
        return parentPort.postMessage(recovered);
      }
      case "derive": {
        const operations = [];
        for (const task of request.part) operations.push(await secure.unmaskOperation(task, crypto));
        return parentPort.postMessage(operations);
      }
      case "apply": {
        const { shared, operations, range } = request;
        kernel.apply(shared.subarray(range.from, range.to), operations, range);
        return parentPort.postMessage([]);
      }
    }
  });
}

if (isMainThread) await main();
else serveUnmasking();
