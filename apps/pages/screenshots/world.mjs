import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCoordinator } from "../../coordinator/dist/index.js";

const tributary = join(import.meta.dirname, "../../cli/bin/tributary.js");
const deadlineMs = 300_000;

/** The built-in digits, softmax regression, ten devices. */
const digits = {
  name: "Digits",
  algorithm: { name: "fedavg", epochs: 1, batchSize: 20, learningRate: 0.1 },
  model: { preset: "logistic" },
  data: { kind: "images", shape: [28, 28, 1], classes: 10 },
  cohort: { size: 10, minimum: 6, population: 10 },
  evaluation: { on: "clients" },
  stop: { rounds: 12 },
};

/** A coordinator with runs in each state and ten devices at work, an empty one, and one that asks for its key. */
export async function startWorld() {
  const folder = await mkdtemp(join(tmpdir(), "tributary-screenshots-"));
  const children = [];
  const coordinators = [];
  const coordinator = async (name, options = {}) => {
    const quiet = { host: "127.0.0.1", port: 0, logLevel: "silent", dataFolder: join(folder, name) };
    const started = await startCoordinator({ ...quiet, ...options });
    coordinators.push(started);
    return started;
  };
  const { url } = await coordinator("main");
  const ask = async (method, path, body, at = url) => {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(`${at}${path}`, { method, ...sent });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.json();
  };
  const create = async (changes, { start = true, at = url } = {}) => {
    const { run } = await ask("POST", "/v1/runs", { ...digits, ...changes }, at);
    if (start) await ask("POST", `/v1/runs/${run}/start`, undefined, at);
    return run;
  };
  const until = async (run, fits) => {
    const giveUp = Date.now() + deadlineMs;
    for (;;) {
      const record = await ask("GET", `/v1/runs/${run}`);
      if (fits(record)) return record;
      if (Date.now() > giveUp) throw new Error(`${record.name} is ${record.phase} after ${deadlineMs} ms`);
      await sleep(100);
    }
  };
  const device = (name, shard, { at = url, tags = [] } = {}) => {
    const flags = ["--shard", shard, "--examples", "2000", "--partition", "dominant:3", "--name", name];
    const tagged = tags.flatMap((tag) => ["--tag", tag]);
    const join = [tributary, "join", "--json", "--coordinator", at, ...flags, ...tagged];
    const child = spawn(process.execPath, join, { stdio: "ignore" });
    children.push(child);
    return child;
  };
  const isOver = ({ phase }) => phase === "finished";

  const runs = {};
  device("lab", "1-7/10", { tags: ["lab"] });
  const slow = device("old laptop", "8/10");
  device("kiosk", "9-10/10", { tags: ["hall"] });
  runs.secure = await create({ name: "Digits, secure sums" });
  await until(runs.secure, isOver);
  runs.plain = await create({ name: "Digits, in the clear", secureAggregation: "none" });
  await until(runs.plain, isOver);
  // A device that falls behind: held up for two seconds, then for good.
  const deadlines = { trainMs: 6_000, stepMs: 4_000 };
  runs.straggler = await create({
    name: "Digits, with a straggler",
    cohort: { size: 10, minimum: 6, population: 10, overSelect: 1 },
    secureAggregation: "none",
    stop: { rounds: 4 },
    deadlines,
  });
  await until(runs.straggler, ({ round }) => round >= 1);
  slow.kill("SIGSTOP");
  await sleep(2_000);
  slow.kill("SIGCONT");
  await until(runs.straggler, ({ round }) => round >= 2);
  slow.kill("SIGSTOP");
  await until(runs.straggler, isOver);
  slow.kill("SIGCONT");
  runs.paused = await create({ name: "Half of the rounds, then a break", stop: { rounds: 10 } });
  await until(runs.paused, ({ round }) => round >= 4);
  await ask("POST", `/v1/runs/${runs.paused}/pause`);
  runs.waiting = await create({ name: "Rows of three hospitals", cohort: { size: 3, minimum: 3, tags: ["hospital"] } });
  runs.created = await create({ name: "Not started yet" }, { start: false });
  // Enough epochs for two devices to be at work, round after round, for as long as pictures are taken.
  runs.open = await create({
    name: "At work",
    algorithm: { ...digits.algorithm, epochs: 10_000 },
    stop: { rounds: 1_000 },
    cohort: { size: 2, minimum: 2, tags: ["hall"], overSelect: 1 },
    secureAggregation: "none",
    deadlines: { trainMs: 3_600_000 },
  });

  const empty = await coordinator("empty");
  const locked = await coordinator("locked", { host: "0.0.0.0", tls: "self-signed" });
  return {
    url,
    runs,
    empty: empty.url,
    locked: locked.url.replace("0.0.0.0", "127.0.0.1"),
    /** A coordinator of a scene's own, for it to end. */
    another: () => coordinator(`another-${coordinators.length}`),
    /** A coordinator of a scene's own, with a run that one device is enough for, unless `changes` say otherwise. */
    async withRun(changes, devices = 0) {
      const own = await coordinator(`another-${coordinators.length}`);
      await create({ cohort: { size: 1, minimum: 1 }, secureAggregation: "none", ...changes }, { at: own.url });
      const joined = devices === 0 ? undefined : device("lab", `1-${devices}/10`, { at: own.url });
      return { ...own, endDevices: () => joined?.kill("SIGKILL") };
    },
    async close() {
      for (const child of children) child.kill("SIGKILL");
      for (const running of coordinators) await running.close().catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}
