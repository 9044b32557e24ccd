import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, startCli, startCoordinatorProcess } from "../support/cli-process.ts";
import { call } from "../support/coordinator-calls.ts";
import { dataFolder } from "../support/data-folder.ts";

const song = "round and round and round it goes\nwhere it stops\nnobody knows\nround and round\n".repeat(3);
const ratings = Array.from({ length: 90 }, (_, i) => `u${i % 9},i${(5 * i) % 11},${1 + ((i + 5 * i) % 5)}`).join("\n");

async function files() {
  const folder = await dataFolder();
  const [text, stars] = [join(folder, "song.txt"), join(folder, "stars.csv")];
  writeFileSync(text, song);
  writeFileSync(stars, `user,item,rating\n${ratings}\n`);
  return { text, stars };
}

const federation = ["simulate", "--json", "--plain", "--clients", "3", "--rounds", "6"];

test("a simulated federation learns to write and to rate", { timeout: 120_000 }, async () => {
  const { text, stars } = await files();
  const gru = ["--data", `text:${text}`, "--window", "8", "--model", "char-gru:16", "--learning-rate", "0.5"];
  const factors = ["--data", `ratings:${stars}`, "--model", "matrix-factorization:3", "--learning-rate", "0.05"];
  for (const [args, metric] of [[[...gru, "--partition", "natural"], "loss"] as const, [factors, "rmse"] as const]) {
    const { code, lines, stderr } = await cli(...federation, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const rounds = lines.filter(({ type }) => type === "round") as unknown as { metrics: Record<string, number> }[];
    expect(rounds).toHaveLength(6);
    expect(rounds.at(-1)!.metrics[metric]!).toBeLessThan(rounds[0]!.metrics[metric]!);
  }
});

test("three devices with characters of their own write together", { timeout: 120_000 }, async () => {
  const folder = await dataFolder();
  const { url } = await startCoordinatorProcess(join(folder, "coordinator"));
  const vocabulary = [...new Set(song)].sort().join("");
  const { body } = await call<{ run: string }>(url, "POST /v1/runs", {
    json: {
      name: "song",
      algorithm: { name: "fedavg", learningRate: 0.5, batchSize: 16 },
      model: { preset: "char-gru", embedding: 4, units: 8 },
      data: { kind: "text", shape: [6], target: "class", classes: vocabulary.length, vocabulary },
      cohort: { size: 3, minimum: 3 },
      // About what a device holds: else its weight may well round to nothing.
      secure: { weightCap: 40 },
      stop: { rounds: 2 },
    },
  });
  await call(url, `POST /v1/runs/${body.run}/start`);
  const devices = song
    .split("\n")
    .slice(0, 3)
    .map((line, i) => {
      const path = join(folder, `${i}.txt`);
      writeFileSync(path, `${line}\n`);
      const data = ["--data", `text:${path}?window=6`, "--name", `device ${i}`];
      return startCli(["join", "--json", "--coordinator", url, "--run", body.run, ...data]);
    });
  for (const { finished } of devices) expect((await finished).code).toBe(0);
  const { body: ended } = await call(url, `GET /v1/runs/${body.run}`);
  expect(ended).toMatchObject({ phase: "finished", reason: "all 2 rounds done" });
  const { body: rounds } = await call<{ evaluation: Record<string, number> }[]>(url, `GET /v1/runs/${body.run}/rounds`);
  expect(rounds).toHaveLength(2);
  expect(rounds[1]!.evaluation["loss"]!).toBeLessThan(Math.log(vocabulary.length));
});
