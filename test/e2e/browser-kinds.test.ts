import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { coordinatorOfFile } from "../support/browser-federation.ts";
import { dataFolder } from "../support/data-folder.ts";

/** Without layers, and on every device there is. */
const alone = { model: undefined, cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } };

/** A file in a folder of its own. */
async function fileOf(name: string, lines: readonly string[]): Promise<string> {
  const path = join(await dataFolder(), name);
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

const points = Array.from({ length: 30 }, (_, i) => `${i % 3},${(i % 3) * 2 + i / 100},${i}`);

browserTest("a run that predicts nothing takes a table without asking what to predict", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({
    ...alone,
    algorithm: { name: "kmeans", clusters: 3, init: { kind: "ranges" }, largest: 20, maximumRows: 1000 },
    data: { kind: "table", shape: [2], target: "none", classes: 0 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("File", { exact: true }).setInputFiles(await fileOf("points.csv", ["x,y,id", ...points]));
  await page.getByText("Columns (3)").click();
  expect(await page.getByLabel("Column to predict").count()).toBe(0);
  await page.getByLabel("How to use id").selectOption("leave out");
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("30 examples ready").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run)).at(-1)).toMatchObject({ survivors: [expect.any(String)] });
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save what was learnt" }).click();
  const learnt = JSON.parse(await readFile(await (await saving).path(), "utf8"));
  expect(learnt).toMatchObject({ format: "tributary-state" });
  expect(JSON.stringify(learnt.state)).toMatch(/\d/);
  expect(complaints).toEqual([]);
});

browserTest("a run that predicts numbers reads its column as numbers, and names what is none", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({
    ...alone,
    algorithm: { name: "ridge", lambda: 1, intercept: true, largest: 20, maximumRows: 1000 },
    data: { kind: "table", shape: [2], target: "number", classes: 0 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const file = page.getByLabel("File", { exact: true });
  await file.setInputFiles(await fileOf("wrong.csv", ["x,y,load", ...points, "1,2,much"]));
  expect(await page.getByLabel("Classes in order").count()).toBe(0);
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByRole("alert").getByText("Line 32").waitFor();
  await file.setInputFiles(await fileOf("right.csv", ["x,y,load", ...points]));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("30 examples ready").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect(complaints).toEqual([]);
});

browserTest("a model that predicts a number is asked on the page, and says one", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({
    ...alone,
    model: { preset: "logistic" },
    algorithm: { name: "fedavg", epochs: 200, batchSize: 10, learningRate: 0.05 },
    data: { kind: "table", shape: [2], target: "number", classes: 0 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const line = Array.from({ length: 30 }, (_, i) => `${i / 30},${1 - i / 30},${2 + i / 10}`);
  await page.getByLabel("File", { exact: true }).setInputFiles(await fileOf("line.csv", ["x,y,load", ...line]));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("30 examples ready").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  await page.getByLabel("x", { exact: true }).fill("0.5");
  await page.getByLabel("y", { exact: true }).fill("0.5");
  await page.getByRole("button", { name: "Ask the model" }).click();
  const said = await page.getByText(/^The model says: /).textContent();
  // load = 2 + 3 x, and y is 1 − x.
  expect(Math.abs(Number(said!.replace("The model says: ", "")) - 3.5)).toBeLessThan(0.3);
  expect(complaints).toEqual([]);
});

browserTest("rows in LIBSVM's form are read by the run's width, and trained on", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({
    ...alone,
    model: { preset: "logistic" },
    algorithm: { name: "fedavg", epochs: 20, batchSize: 4, learningRate: 0.5 },
    data: { kind: "sparse", shape: [2_000], classes: 2 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const file = page.getByLabel("File in LIBSVM's form");
  const rows = Array.from({ length: 24 }, (_, i) => `${i % 2 === 0 ? "+1" : "-1"} ${i + 1}:0.5 ${1_000 + (i % 2)}:1`);
  await file.setInputFiles(await fileOf("a9a", [...rows, "+1 2001:1"]));
  await page.getByRole("alert").getByText("Line 25 has the index 2001; rows of 2000 features were declared").waitFor();
  await file.setInputFiles(await fileOf("a9a", rows));
  await page.getByText("24 examples ready").waitFor();
  expect(await page.getByLabel("Examples in each class").textContent()).toBe("-112112");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run))[0]!.weight).toBe(24);
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  const line = page.getByLabel("Line in LIBSVM's form");
  const refusals = page.getByRole("region", { name: "The model so far" }).getByRole("alert");
  for (const [typed, refusal] of [
    ["+1 12:half", 'Line 1, column 4: "12:half" is not index:value'],
    ["# nothing", "No line has an example"],
  ] as const) {
    await line.fill(typed);
    await page.getByRole("button", { name: "Ask the model" }).click();
    await refusals.getByText(refusal).waitFor();
  }
  for (const [typed, answer] of [
    ["0 1000:1", "The model says: 1"],
    ["0 1001:1", "The model says: -1"],
  ] as const) {
    await line.fill(typed);
    await page.getByRole("button", { name: "Ask the model" }).click();
    await page.getByText(answer, { exact: true }).waitFor();
  }
  expect(complaints).toEqual([]);
});

browserTest("ratings are read by the run's users and items, and one of nobody's is refused at once", async () => {
  const coordinator = await coordinatorOfFile();
  const [users, items] = [
    ["ann", "bob"],
    ["film", "song", "play"],
  ];
  const { run } = await coordinator.startRun({
    ...alone,
    model: { preset: "matrix-factorization", factors: 2 },
    algorithm: { name: "fedavg", epochs: 300, batchSize: 6, learningRate: 0.1 },
    data: { kind: "ratings", shape: [2], target: "number", classes: 0, users, items },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const rows = users.flatMap((user, u) => items.map((item, i) => `${user},${item},${1 + u + i}`));
  const file = page.getByLabel("Table of ratings");
  await file.setInputFiles(await fileOf("stars.csv", [...rows, "eve,film,5"]));
  await page.getByRole("alert").getByText('the user "eve" was found, which is not among the run').waitFor();
  await file.setInputFiles(await fileOf("stars.csv", rows));
  await page.getByText("6 examples ready").waitFor();
  await page.getByText("By 2 users, of 3 items.").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run))[0]!.weight).toBe(6);
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  await page.getByLabel("User", { exact: true }).selectOption("bob");
  await page.getByLabel("Item", { exact: true }).selectOption("play");
  await page.getByRole("button", { name: "Ask the model" }).click();
  const said = await page.getByText(/^The model says: /).textContent();
  // Bob gave it 1 + 1 + 2 stars.
  expect(Math.abs(Number(said!.replace("The model says: ", "")) - 4)).toBeLessThan(0.3);
  expect(complaints).toEqual([]);
});
