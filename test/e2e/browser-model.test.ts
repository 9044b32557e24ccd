import { readFile } from "node:fs/promises";
import { routes } from "@tributary/protocol";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, coordinatorOfFile } from "../support/browser-federation.ts";

const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 } };

browserTest("the trained model reads a drawn digit in the page, and can be taken along", async () => {
  const coordinator = await coordinatorOfFile();
  const algorithm = { name: "fedavg", epochs: 3, batchSize: 10, learningRate: 0.1 };
  const { run } = await coordinator.startRun({ ...alone, algorithm, stop: { rounds: 3 } });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 1 });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  await page.getByText("Version 3, 7,850 weights.").waitFor();

  const pad = page.getByRole("application", { name: "A pad to draw a digit on" });
  await pad.scrollIntoViewIfNeeded();
  const box = (await pad.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.8, { steps: 8 });
  await page.mouse.up();
  await page.getByText("The model says: 1").waitFor();

  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByText("The model's answer will stand here.").waitFor();
  await pad.focus();
  const keys = async (key: string, times: number) => {
    for (let i = 0; i < times; i++) await pad.press(key);
  };
  await keys("ArrowUp", 4);
  await pad.press("Space");
  await page.getByText("Pen down, row 3, column 7 of 13.").waitFor();
  await keys("ArrowDown", 8);
  await pad.press("Space");
  await page.getByText("Pen up, row 11, column 7 of 13.").waitFor();
  await page.getByText("The model says: 1").waitFor();

  for (const [name, path] of [
    ["model.json", routes.modelJson(run, 3)],
    ["weights.bin", routes.modelWeights(run, 3)],
  ] as const) {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Save ${name}` }).click(),
    ]);
    // Under the names by which the one finds the other.
    expect(download.suggestedFilename()).toBe(name);
    const served = await fetch(`${coordinator.url}${path}`);
    expect(await readFile(await download.path())).toEqual(Buffer.from(await served.arrayBuffer()));
  }
  expect(complaints).toEqual([]);
});

browserTest("the trained model reads a typed row", async () => {
  const coordinator = await coordinatorOfFile();
  const data = { kind: "table", shape: [1], classes: 2 };
  const algorithm = { name: "fedavg", epochs: 20, batchSize: 10, learningRate: 0.5 };
  await coordinator.startRun({ ...alone, data, algorithm, stop: { rounds: 3 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const table = `petal,kind\n${Array.from({ length: 40 }, (_, i) => `${(i - 20) / 5},${i < 20 ? "a" : "b"}`).join("\n")}\n`;
  const buffer = Buffer.from(table);
  await page.getByLabel("File", { exact: true }).setInputFiles({ name: "t.csv", mimeType: "text/csv", buffer });
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  for (const [value, kind] of [
    ["-4", "a"],
    ["4", "b"],
  ] as const) {
    await page.getByLabel("petal").fill(value);
    await page.getByRole("button", { name: "Ask the model" }).click();
    await page.getByText(`The model says: ${kind}`).waitFor();
  }
});
