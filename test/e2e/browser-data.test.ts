import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { startCoordinator } from "../support/browser-federation.ts";

const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } };
const file = (name: string, content: string | Uint8Array) => ({
  name,
  mimeType: "application/octet-stream",
  buffer: Buffer.from(content),
});

/** An IDX file of bytes. */
function idx(dimensions: readonly number[], values: readonly number[]): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x800 + dimensions.length);
  dimensions.forEach((size, i) => {
    header.writeUInt32BE(size, 4 + 4 * i);
  });
  return Buffer.concat([header, Buffer.from(values)]);
}

const table = `id,petal,colour,kind
${Array.from({ length: 60 }, (_, i) => `${i},${i / 10},${i % 2 ? "red" : "blue"},${i < 30 ? "a" : "b"}`).join("\n")}
`;

browserTest("a table is read in the page, its columns as the person says, and trained on", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({
    ...alone,
    data: { kind: "table", shape: [3], target: "class", classes: 2 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("File", { exact: true }).setInputFiles(file("flowers.csv.gz", gzipSync(table)));
  expect(await page.getByLabel("Column to predict").inputValue()).toBe("kind");
  await page.getByText("Columns (3)").click();
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByRole("alert").getByText('Line 2, column "colour" is "blue", not a number').waitFor();

  await page.getByLabel("How to use id").selectOption("leave out");
  await page.getByLabel("How to use colour").selectOption("category");
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("60 examples ready").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  const [round] = await coordinator.rounds(run);
  expect(round!.weight).toBe(60);
  expect(complaints).toEqual([]);
});

browserTest("a table that does not fit the run, or is none, is explained before anything is sent", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({ ...alone, data: { kind: "table", shape: [7], target: "class", classes: 2 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("File", { exact: true }).setInputFiles(file("two.csv", "a,kind\n1,x\n2,y\n"));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("2 examples ready").waitFor();
  await page.getByText("Your file has 1 feature and 2 classes; this run asks for 7 features and 2 classes.").waitFor();
  expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);

  await page.getByLabel("File", { exact: true }).setInputFiles(file("photo.csv", Buffer.from([0xff, 0xd8, 0, 0, 7])));
  await page.getByRole("alert").getByText("photo.csv is not text; a table in CSV form is wanted.").waitFor();
  expect(await coordinator.get<unknown[]>("/v1/clients")).toEqual([]);
});

browserTest("MNIST's files are read, and a wrong one is named", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({ ...alone, data: { kind: "images", shape: [2, 2, 1], target: "class", classes: 10 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByRole("radio", { name: "MNIST files" }).check();
  const images = idx([2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]);
  await page.getByLabel("Images (").setInputFiles(file("images", gzipSync(images)));
  await page.getByLabel("Labels (").setInputFiles(file("labels", "seven,three"));
  await page.getByRole("alert").getByText("The file of labels begins with 0x73657665").waitFor();
  await page.getByLabel("Labels (").setInputFiles(file("labels", idx([2], [7, 3])));
  await page.getByText("2 examples ready").waitFor();
});
