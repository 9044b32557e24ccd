// How long `tributary join` takes from its start to its first batch: one device, the 2NN on WebAssembly, a coordinator on
// this machine whose run waits for it. The engine's proof of its arithmetic is in it. Each start is a process of its own;
// nothing else should run. Run after a build: npm run bench:start -- [--json] [--starts N]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../apps/cli/bin/tributary.js", import.meta.url));
const starts = Number(process.argv[process.argv.indexOf("--starts") + 1]) || 5;
const json = process.argv.includes("--json");

function tributary(...args) {
  const child = spawn(process.execPath, [launcher, ...args, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const line = (fits) =>
    new Promise((resolve, reject) => {
      lines.on("line", (text) => {
        const found = JSON.parse(text);
        if (fits(found)) resolve(found);
      });
      child.once("exit", (code) => reject(new Error(`tributary ${args.join(" ")} ended with ${code}`)));
    });
  return { child, line };
}

const folder = mkdtempSync(join(tmpdir(), "tributary-start-"));
const coordinator = tributary("coordinator", "--port", "0", "--data-folder", folder, "--log-level", "warn");
const { url } = await coordinator.line(({ type }) => type === "listening");
const spec = {
  name: "start",
  ...{ algorithm: { name: "fedavg", epochs: 1, batchSize: 10, learningRate: 0.1 }, model: { preset: "2nn" } },
  data: { kind: "images", shape: [28, 28, 1], classes: 10 },
  cohort: { size: 1, minimum: 1, overSelect: 1 },
  ...{ secureAggregation: "none", evaluation: { on: "nowhere" }, stop: { rounds: 1 }, seed: 1 },
};
const seconds = [];
for (let i = 0; i < starts; i++) {
  const headers = { "content-type": "application/json" };
  const made = await fetch(`${url}/v1/runs`, { method: "POST", headers, body: JSON.stringify(spec) });
  const { run } = await made.json();
  if (!made.ok) throw new Error(`the run was refused with ${made.status}`);
  await fetch(`${url}/v1/runs/${run}/start`, { method: "POST" });
  const begin = performance.now();
  const device = tributary("join", "--coordinator", url, "--engine", "wasm", "--run", run);
  const stage = async (type) => {
    await device.line((line) => line.type === type);
    return (performance.now() - begin) / 1000;
  };
  const stages = Promise.all(["engine", "connected", "training", "trained"].map(stage));
  const exit = once(device.child, "exit");
  seconds.push(await stages);
  await exit;
}
coordinator.child.kill("SIGTERM");
await once(coordinator.child, "exit");
rmSync(folder, { recursive: true });

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const [engine, connected, firstBatch, trained] = [0, 1, 2, 3].map((i) =>
  Number(median(seconds.map((row) => row[i])).toFixed(2)),
);
const record = {
  machine: { cpu: cpus()[0].model, node: process.version, starts },
  seconds: { engine, connected, firstBatch, trained },
};
console.log(json ? JSON.stringify(record) : JSON.stringify(record, undefined, 2));
