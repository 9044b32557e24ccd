import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientRecord, isOver, type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Page } from "playwright-core";
import { afterAll, expect, onTestFinished } from "vitest";
import { type LineProcess, lineProcess, longLineProcess } from "./line-process.ts";

const tributary = "../../apps/cli/bin/tributary.js";

/** A coordinator as a process of its own, that can be killed and started again on the same port and data. */
export interface CoordinatorProcess {
  readonly url: string;
  /** Ends it at once, without a farewell. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Another coordinator on the same port, with nothing of the first one's. Only after `kill`. */
  replace(): Promise<void>;
  get<Value>(path: string): Promise<Value>;
  post<Value>(path: string, body?: unknown): Promise<Value>;
  /** Creates a run on the built-in digits and starts it. */
  startRun(changes?: Record<string, unknown>): Promise<RunRecord>;
  /** Resolves when the run has ended: its rounds. */
  rounds(run: string): Promise<RoundRecord[]>;
  /** Adds one device in a Node process of its own. */
  joinNode(run: string, shard: string, ...flags: string[]): LineProcess;
  clientNamed(part: string): Promise<ClientRecord>;
  /** What it printed when it began to listen. */
  readonly started: { readonly url: string; readonly joinToken?: string; readonly adminKey?: string };
}

/** Starts `tributary coordinator` with these flags; gone when the test ends. */
export function startCoordinator(...flags: string[]): Promise<CoordinatorProcess> {
  return launchCoordinator(flags, onTestFinished);
}

let ofFile: Promise<CoordinatorProcess> | undefined;
let endOfFile: (() => Promise<void>) | undefined;

/** One coordinator for the tests of a file that do it no harm; the runs that a test starts are stopped when it ends. */
export async function coordinatorOfFile(): Promise<CoordinatorProcess> {
  ofFile ??= launchCoordinator([], (end) => {
    endOfFile = end;
  });
  const shared = await ofFile;
  return {
    ...shared,
    async startRun(changes) {
      const record = await shared.startRun(changes);
      onTestFinished(async () => {
        const { phase } = await shared.get<RunRecord>(routes.run(record.run));
        if (!isOver(phase)) await shared.post(routes.runAction("stop", record.run));
      });
      return record;
    },
  };
}

afterAll(() => endOfFile?.());

async function launchCoordinator(
  flags: readonly string[],
  onEnd: (end: () => Promise<void>) => void,
): Promise<CoordinatorProcess> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-browser-"));
  const launch = async (port: string) => {
    const child = longLineProcess(
      tributary,
      ...["coordinator", "--json", "--log-level", "error", "--port", port, "--data-folder", folder, ...flags],
    );
    const line = await child.printed((text) => JSON.parse(text).type === "listening");
    return { child, started: JSON.parse(line) as CoordinatorProcess["started"] };
  };
  let { child, started } = await launch("0");
  const { port } = new URL(started.url);
  onEnd(async () => {
    child.kill("SIGKILL");
    await child.ended;
    await rm(folder, { recursive: true, force: true });
  });
  const { url } = started;
  const ask = async <Value>(path: string, init: RequestInit = {}): Promise<Value> => {
    const response = await fetch(`${url}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as Value;
  };
  const post = <Value>(path: string, body?: unknown) =>
    ask<Value>(path, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  return {
    url,
    started,
    async kill() {
      child.kill("SIGKILL");
      await child.ended;
    },
    async restart() {
      ({ child } = await launch(port));
    },
    async replace() {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
      ({ child } = await launch(port));
    },
    get: (path) => ask(path),
    post,
    async startRun(changes = {}) {
      const { run } = await post<RunRecord>(routes.runs(), { ...digitsSpec, ...changes });
      return post<RunRecord>(routes.runAction("start", run));
    },
    async rounds(run) {
      await expect
        .poll(async () => (await ask<RunRecord>(routes.run(run))).phase, { timeout: 150_000, interval: 200 })
        .toBe("finished");
      return ask(routes.rounds(run));
    },
    joinNode: (run, shard, ...more) =>
      lineProcess(
        tributary,
        ...["join", "--json", "--coordinator", url, "--run", run, "--name", `node ${shard}`, "--shard", shard],
        ...["--examples", "1000", "--partition", "dominant:2", ...more],
      ),
    async clientNamed(part) {
      const clients = await ask<ClientRecord[]>(routes.clients());
      return clients.find(({ name }) => name.includes(part))!;
    },
  };
}

/** Three devices, all needed, plain averaging of softmax regression on the built-in digits. */
export const digitsSpec = {
  name: "Digits, together",
  algorithm: { name: "fedavg", epochs: 1, batchSize: 20, learningRate: 0.1 },
  model: { preset: "logistic" },
  data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
  cohort: { size: 3, minimum: 3, overSelect: 1 },
  secureAggregation: "none",
  evaluation: { on: "clients" },
  stop: { rounds: 2 },
};

/** A run that one device keeps going, as long as nobody stops it. */
export const endlessAlone = {
  cohort: { size: 1, minimum: 1, overSelect: 1 },
  evaluation: { on: "nowhere" },
  stop: { rounds: 10_000 },
};

/** The same, on the tables that `csvTable` makes. */
export const endlessTable = { ...endlessAlone, data: { kind: "table", shape: [1], target: "class", classes: 2 } };

/** A table of one feature and two classes, as a person picks it. */
export function csvTable(name: string, rows: number) {
  const lines = Array.from({ length: rows }, (_, i) => `${i / 10},${i % 2 ? "a" : "b"}`);
  return { name, mimeType: "text/csv", buffer: Buffer.from(`x,kind\n${lines.join("\n")}\n`) };
}

/** On the join page: chooses one device's shard of the built-in digits and waits until the page could join. */
export async function chooseDigits(page: Page, shard: { device: number; of: number }): Promise<void> {
  await page.getByLabel("Device number").fill(`${shard.device}`);
  await page.getByLabel("Devices in all").fill(`${shard.of}`);
  await page.getByLabel("Digits in all").fill("1000");
  await page.getByRole("button", { name: "Draw the digits" }).click();
  await page.getByText("examples ready").waitFor({ timeout: 60_000 });
  await expect.poll(() => page.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
}

/** On the join page: the line that says that an update has left. */
export const firstUpdate = (page: Page) => page.getByText(/Round \d+: sent the update/).first();

/** What the page says of the engine. */
export const engineShown = (page: Page) => page.getByRole("region", { name: "This device", exact: true }).textContent();
