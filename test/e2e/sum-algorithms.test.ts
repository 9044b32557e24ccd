import { readdirSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@tributary/algorithm";
import { parseRunSpec } from "@tributary/catalog";
import { type Problem, type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { cli, startCli, startCoordinatorProcess } from "../support/cli-process.ts";
import { call } from "../support/coordinator-calls.ts";
import { dataFolder } from "../support/data-folder.ts";

/** Several processes start one after the other on a machine that may be busy. */
const slow = { timeout: 240_000 };

const examples = fileURLToPath(new URL("../../examples", import.meta.url));

/** Points around three places, and which place it was. */
async function pointsFile(folder: string): Promise<string> {
  const random = seededRandom(2, "points");
  const places = [
    [0, 0],
    [8, 0],
    [0, 8],
  ] as const;
  const rows = Array.from({ length: 240 }, (_, i) => {
    const [x, y] = places[i % 3]!;
    return [i, x + random.normal(), y + random.normal(), i % 3 === 0 ? "home" : "away"].join();
  });
  const file = join(folder, "points.csv");
  await writeFile(file, `id,x,y,place\n${rows.join("\n")}\n`);
  return file;
}

/** Runs one of the examples over two processes of devices, to its end. */
async function federate(name: string, { folder, data, devices }: { folder: string; data: string[]; devices: number }) {
  const coordinator = await startCoordinatorProcess(join(folder, "coordinator"), "--port", "0");
  const { url } = coordinator;
  const created = await cli("runs", "create", join(examples, `${name}.json`), "--coordinator", url, "--json");
  expect(created, created.stderr).toMatchObject({ code: 0 });
  const { run } = created.lines[0] as unknown as RunRecord;
  const half = devices / 2;
  const joined = [`1-${half}/${devices}`, `${half + 1}-${devices}/${devices}`].map(
    (shard) => startCli(["join", "--coordinator", url, "--run", run, "--shard", shard, "--json", ...data]).finished,
  );
  for (const { code, stderr } of await Promise.all(joined)) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { body: record } = await call<RunRecord>(url, `GET ${routes.run(run)}`);
  const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  return { url, run, record, rounds };
}

test("k-means through a coordinator and device processes, under secure aggregation", slow, async () => {
  const folder = await dataFolder();
  const data = ["--data", `csv:${await pointsFile(folder)}`, "--ignore", "id,place"];
  const { url, run, record, rounds } = await federate("kmeans", { folder, data, devices: 6 });
  expect(record, record.reason).toMatchObject({ phase: "finished", reason: expect.stringContaining("shift") });
  expect(record.metrics).toMatchObject({ examples: 240, emptyClusters: 0, withheldClusters: 0 });
  expect(record.metrics["inertia"]).toBe(rounds.at(-1)!.metrics["inertia"]);

  const refusal = await call<Problem>(url, `GET ${routes.modelJson(run, record.modelVersion)}`);
  expect(refusal).toMatchObject({ status: 409, body: { status: 409, detail: expect.stringContaining("state.json") } });
  const out = join(folder, "pulled");
  const pulled = await cli("models", "pull", run, "--coordinator", url, "--out", out);
  expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
  const state = JSON.parse(await readFile(join(out, "state.json"), "utf8"));
  expect(state).toMatchObject({ algorithm: "kmeans", element: "float64", length: 6 });
  const centres = state.state.centres as number[][];
  for (const [x, y] of [
    [0, 0],
    [8, 0],
    [0, 8],
  ] as const) {
    const near = centres.filter((centre) => Math.hypot(centre[0]! - x, centre[1]! - y) < 1);
    expect(near, JSON.stringify(centres)).toHaveLength(1);
  }
  const weights = await readFile(join(out, "weights.bin"));
  expect([...new Float64Array(new Uint8Array(weights).buffer)]).toEqual(centres.flat());

  // An earlier version of what an algorithm keeps is served again as a new one.
  const back = await cli("models", "rollback", run, "--coordinator", url, "--model-version", "1");
  expect(back, back.stderr).toMatchObject({ code: 0 });
  const shown = await cli("runs", "show", run, "--coordinator", url);
  expect(shown.stdout).toMatch(/inertia \d/);
});

test(
  "CoCoA through a coordinator and device processes: duals stay, and the gap comes down to the target",
  slow,
  async () => {
    const folder = await dataFolder();
    const data = [
      "--data",
      `csv:${await pointsFile(folder)}`,
      "--ignore",
      "id",
      "--target",
      "place",
      "--classes",
      "away,home",
    ];
    const { record, rounds } = await federate("cocoa", { folder, data, devices: 4 });
    expect(record, record.reason).toMatchObject({ phase: "finished", reason: expect.stringContaining("gap") });
    const gaps = rounds.flatMap(({ metrics }) => metrics["gap"] ?? []);
    expect(gaps.length).toBeGreaterThan(1);
    expect(Math.min(...gaps)).toBe(gaps.at(-1));
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(0);
    expect(gaps.at(-1)).toBeLessThanOrEqual(0.01);
    // Nothing but sums is kept: no round names a figure of one device.
    for (const { metrics } of rounds) expect(Object.keys(metrics)).not.toContain("alpha");
  },
);

test("simulate prints each algorithm's own figures on its last line", slow, async () => {
  const folder = await dataFolder();
  const csv = ["--data", `csv:${await pointsFile(folder)}`, "--clients", "4", "--json", "--plain"];
  const summaryOf = async (...args: string[]) => {
    const { code, stderr, lines } = await cli("simulate", ...csv, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return lines.at(-1)!;
  };
  const kmeans = await summaryOf("--algorithm", "kmeans", "--ignore", "id,place", "--clusters", "3", "--init", "first");
  expect(kmeans).toMatchObject({
    type: "summary",
    iterations: expect.any(Number),
    inertia: expect.any(Number),
    shift: 0,
  });
  const hinge = await summaryOf("--algorithm", "hinge", "--ignore", "id", "--target", "place", "--lambda", "0.01");
  expect(hinge).toMatchObject({ type: "summary", gap: expect.any(Number), accuracy: expect.any(Number) });
  const numbers = ["--ignore", "id,place", "--target", "y", "--target-kind", "number"];
  expect(await summaryOf("--algorithm", "ridge", ...numbers)).toMatchObject({ rmse: expect.any(Number) });
  const figures = await summaryOf("--algorithm", "statistics", "--ignore", "id,place");
  expect(figures).toMatchObject({ examples: 240, learnt: { features: [{ count: 240 }, { count: 240 }] } });
  const wrong = await cli("simulate", ...csv, "--algorithm", "kmeans", "--ignore", "id,place");
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("--clusters") });
  const many = await cli("simulate", ...csv, "--algorithm", "kmeans", "--ignore", "id,place", "--clusters", "300");
  expect(many).toMatchObject({ code: 2, stderr: expect.stringContaining("240 rows") });
});

test.for(readdirSync(examples).filter((file) => file.endsWith(".json")))(
  "examples/%s is a valid specification",
  (file) => {
    const spec = parseRunSpec(JSON.parse(readFileSync(join(examples, file), "utf8")));
    expect(spec.secureAggregation).toBe("required");
  },
);
