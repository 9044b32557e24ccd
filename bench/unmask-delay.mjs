// Event-loop delay of a real coordinator process from the first unmask request of a secure round to its commit: the
// process's own histogram, which each read of /metrics clears. Ten devices in one other process, three rounds of an MLP
// with HIDDEN hidden units on generated digits. Run after a build: node bench/unmask-delay.mjs [HIDDEN]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rest, startChild } from "../apps/cli/dist/index.js";

const spec = {
  name: "unmask delay",
  algorithm: { name: "fedavg", learningRate: 0.01, batchSize: "all" },
  model: { preset: "mlp", hidden: [Number(process.argv[2] ?? 500)] },
  data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
  cohort: { size: 10, minimum: 8, overSelect: 1 },
  secure: { weightCap: 20 },
  evaluation: { on: "nowhere" },
  stop: { rounds: 3 },
};
const folder = await mkdtemp(join(tmpdir(), "tributary-delay-"));
const children = [];
try {
  const started = ["coordinator", "--json", "--port", "0", "--log-level", "warn", "--data-folder", folder];
  children.push(startChild(started));
  const { url } = await children[0].line("listening");
  const rest = await Rest.open({ url });
  const { run } = await rest.post("/v1/runs", spec);
  const device = ["--run", run, "--examples", "200", "--shard", "1-10/10", "--name", "device"];
  children.push(startChild(["join", "--json", "--coordinator", url, ...device]));
  await rest.post(`/v1/runs/${run}/start`, {});
  await watch(url, run);
} finally {
  await Promise.all(children.map((child) => child.stop()));
  await rm(folder, { recursive: true, force: true });
}

async function watch(url, run) {
  const { body } = await fetch(`${url}/v1/runs/${run}/events`);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const event = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? "{}");
      if (event.type === "step-opened" && event.step === "unmask") await delay(url);
      if (event.type === "round") console.log(JSON.stringify({ round: event.record.round, ...(await delay(url)) }));
      if (event.type === "phase" && ["finished", "stopped", "failed"].includes(event.phase)) return;
    }
  }
}

/** Milliseconds since the last call. */
async function delay(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (name) => 1000 * Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (.*)$`, "m").exec(text)?.[1]);
  return { p99Ms: read("p99"), maxMs: read("max") };
}
