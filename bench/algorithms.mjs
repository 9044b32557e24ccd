// What the algorithm layer costs over its bare arithmetic, in the clear and in this process: k-means on optdigits, its
// rows 50 times, and CoCoA+ on a9a with four devices. Layer and bare arithmetic alternate in windows of one run; each
// ratio is that of their median windows. Needs the real data (SHARED, default ../shared/data). After a build:
// npm run bench:algorithms -- [--json]
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { rowsOf, seededRandom } from "../packages/algorithm/dist/index.js";
import { parseRunSpec } from "../packages/catalog/dist/index.js";
import { localSdca, losses, problemOf, sumsOver } from "../packages/cocoa/dist/index.js";
import { simulate } from "../packages/simulation/dist/index.js";
import { denseDataset, partition, subset } from "../packages/training/dist/index.js";
import { openData } from "../packages/training/dist/node/index.js";

const shared = process.env.TRIBUTARY_SHARED_DATA ?? join(import.meta.dirname, "../../shared/data");
if (!existsSync(shared)) {
  console.error(`the data sets are not at ${shared}; name their folder in TRIBUTARY_SHARED_DATA`);
  process.exit(2);
}
const warmUps = 10;
const windows = 31;
const json = process.argv.includes("--json");
const subjects = { kmeans: kMeansSubject, cocoa: cocoaSubject };
const seconds = {};
const ratios = {};
for (const [name, make] of Object.entries(subjects)) {
  const { layer, bare } = await make();
  // V8 compiles the kernels both call anew for some windows; that belongs to neither.
  for (let window = 0; window < warmUps; window++) {
    await layer();
    bare();
  }
  const times = { layer: [], bare: [] };
  for (let window = 0; window < windows; window++) {
    times.layer.push(await timed(layer));
    times.bare.push(await timed(bare));
  }
  seconds[name] = { layer: round(median(times.layer)), bare: round(median(times.bare)) };
  ratios[`${name}ToBare`] = round(median(times.layer) / median(times.bare));
}
const machine = { cpu: cpus()[0].model.trim(), node: process.version, windows };
if (json) console.log(JSON.stringify({ machine, seconds, ratios }));
else
  console.table(
    Object.fromEntries(
      Object.entries(seconds).map(([name, row]) => [name, { ...row, ratio: ratios[`${name}ToBare`] }]),
    ),
  );

/** One iteration of Lloyd over 191,150 rows on 20 devices, against a plain loop over the same rows. */
async function kMeansSubject() {
  const [clusters, width, clients, iterations] = [10, 64, 20, 1];
  const opened = await openData({
    source: `csv:${shared}/optdigits/optdigits.tra`,
    schema: { header: false, ignore: ["65"] },
  });
  const once = (await rowsOf(opened.dataset, width)).features;
  const features = new Float64Array(50 * once.length);
  for (let copy = 0; copy < 50; copy++) features.set(once, copy * once.length);
  const whole = denseDataset({ features, shape: [width] });
  const devices = partition("contiguous", whole.examples, { clients, random: 0 }).map((rows) => subset(whole, rows));
  const centres = Array.from({ length: clusters }, (_, i) => [...once.subarray(i * width, (i + 1) * width)]);
  const spec = parseRunSpec({
    name: "bench",
    algorithm: { name: "kmeans", clusters, init: { kind: "given", centres }, minimumCount: 1, maximumRows: 1e6 },
    data: { kind: "table", shape: [width], target: "none", classes: 0 },
    cohort: { size: clients, minimum: clients, overSelect: 1 },
    secureAggregation: "none",
    stop: { rounds: iterations },
  });
  const bare = () => {
    let at = Float64Array.from(centres.flat());
    for (let i = 0; i < iterations; i++) ({ centres: at } = lloydStep(features, at, clusters, width));
    return at;
  };
  return { layer: () => simulate({ spec, devices }), bare };
}

/** One iteration of Lloyd, as anybody would write it. */
function lloydStep(features, centres, clusters, width) {
  const sums = new Float64Array(clusters * width);
  const counts = new Float64Array(clusters);
  let inertia = 0;
  for (let at = 0; at < features.length; at += width) {
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < clusters; cluster++) {
      let distance = 0;
      for (let j = 0, from = cluster * width; j < width; j++) {
        const difference = features[at + j] - centres[from + j];
        distance += difference * difference;
      }
      if (distance < least) [least, nearest] = [distance, cluster];
    }
    for (let j = 0; j < width; j++) sums[nearest * width + j] += features[at + j];
    counts[nearest]++;
    inertia += least;
  }
  const means = sums.map((sum, i) => {
    const count = counts[Math.floor(i / width)];
    return count > 0 ? sum / count : centres[i];
  });
  return { centres: means, inertia };
}

/** Thirty rounds of CoCoA+ with hinge loss, against the same SDCA and sums for the certificate with nothing around them. */
async function cocoaSubject() {
  const [clients, rounds, lambda, width] = [4, 30, 1e-3, 123];
  const { dataset } = await openData({
    source: `libsvm:${shared}/a9a/a9a.gz`,
    schema: { features: width, targetKind: "number" },
  });
  const parts = partition("iid", dataset.examples, { clients, random: 0 });
  const devices = parts.map((rows) => subset(dataset, rows));
  const spec = parseRunSpec({
    name: "bench",
    algorithm: { name: "cocoa", lambda, unitRows: true },
    data: { kind: "table", shape: [width], target: "number", classes: 0 },
    cohort: { size: clients, minimum: clients, overSelect: 1 },
    secureAggregation: "none",
    // The first only counts the rows.
    stop: { rounds: rounds + 1 },
  });
  const problems = await Promise.all(devices.map((data) => problemOf(data, { loss: "hinge", width, unitRows: true })));
  const scale = lambda * dataset.examples;
  const bare = () => {
    const random = seededRandom(0, "bare");
    const model = new Float64Array(width);
    const duals = problems.map(({ rows }) => new Float64Array(rows.count));
    for (let round = 0; round < rounds; round++) {
      const updates = problems.map((problem, k) => {
        sumsOver(problem, losses.hinge, { model, alpha: duals[k], regression: false });
        const sub = { sigma: clients, scale, steps: problem.rows.count };
        const solved = localSdca(problem, losses.hinge, { model, alpha: duals[k], random, sub });
        duals[k] = solved.alpha;
        return solved.update;
      });
      for (const update of updates) for (let j = 0; j < width; j++) model[j] += update[j];
    }
    return model;
  };
  return { layer: () => simulate({ spec, devices }), bare };
}

async function timed(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function round(value) {
  return Number(value.toPrecision(3));
}
