import { gzipSync } from "node:zlib";
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { coordinatorOfFile } from "../support/browser-federation.ts";

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
  const coordinator = await coordinatorOfFile();
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
  const shown = page.getByRole("region", { name: "How your file begins" }).locator("canvas");
  await expect.poll(() => inkOn(page, shown)).toBeGreaterThan(500);
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  const [round] = await coordinator.rounds(run);
  expect(round!.weight).toBe(60);
  expect(complaints).toEqual([]);
});

browserTest("a table that does not fit the run, or is none, is explained before anything is sent", async () => {
  const coordinator = await coordinatorOfFile();
  const before = (await coordinator.get<unknown[]>("/v1/clients")).length;
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
  expect(await coordinator.get<unknown[]>("/v1/clients")).toHaveLength(before);
});

browserTest("a table without a header and with gaps is read as the person says", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({
    ...alone,
    data: { kind: "table", shape: [2], target: "class", classes: 2 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const rows = Array.from({ length: 20 }, (_, i) => `${i},${i === 7 ? "" : i / 2},${i % 2 ? "no" : "yes"}`);
  await page.getByLabel("File", { exact: true }).setInputFiles(file("bare.csv", rows.join("\n")));
  await page.getByLabel("The first line names the columns").uncheck();
  await expect.poll(() => page.getByLabel("Column to predict").inputValue()).toBe("3");
  const use = page.getByRole("button", { name: "Use this table" });
  await use.click();
  await page.getByRole("alert").getByText('Line 8, column "2" has no value').waitFor();
  await page.getByLabel("Rows in which a value is missing").selectOption("are left out");
  await use.click();
  await page.getByText("19 examples ready").waitFor();
  await page.getByLabel("Rows in which a value is missing").selectOption("get the column's mean");
  await use.click();
  await page.getByText("20 examples ready").waitFor();

  // What is typed after a table was read holds for the table that is read next, and for no other.
  await page.getByLabel("Classes in order").fill("yes, no");
  expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);
  await use.click();
  await page.getByText("20 examples ready").waitFor();
  expect(await page.getByLabel("Examples in each class").textContent()).toBe("yes10no10");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run))[0]!.weight).toBe(20);

  // Asked about one row, a column of numbers is a number, whatever its name looks like.
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  await page.getByLabel("1", { exact: true }).fill("3");
  await page.getByRole("button", { name: "Ask the model" }).click();
  await page.getByText(/^The model says: (yes|no)$/).waitFor();
  expect(complaints).toEqual([]);
});

browserTest("what no model could learn from is refused with the reason, and the next file is read", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({ ...alone, data: { kind: "table", shape: [1], target: "class", classes: 2 } });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const many = Array.from({ length: 20_000 }, (_, i) => `${i % 7},person ${i}`).join("\n");
  const latin = Buffer.from("x,kind\n1,caf\u00e9\n2,tea\n", "latin1");
  for (const [name, content, reason] of [
    [
      "people.csv",
      `x,name\n${many}\n`,
      "The column “name” has 20,000 different values, and at most 10,000 can be classes",
    ],
    ["latin.csv", latin, "latin.csv is text in another encoding than UTF-8"],
  ] as const) {
    await page.getByLabel("File", { exact: true }).setInputFiles(file(name, content));
    const use = page.getByRole("button", { name: "Use this table" });
    if (name === "people.csv") await use.click();
    await page.getByRole("alert").getByText(reason).waitFor();
  }
  await page.getByLabel("File", { exact: true }).setInputFiles(file("fine.csv", "x,kind\n1,a\n2,b\n"));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("2 examples ready").waitFor();
  expect(complaints).toEqual([]);
});

browserTest("MNIST's files are read, and a wrong one is named", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({ ...alone, data: { kind: "images", shape: [2, 2, 1], target: "class", classes: 10 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByRole("radio", { name: "MNIST files" }).check();
  const images = idx([2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]);
  await page.getByLabel("Images (").setInputFiles(file("images", idx([0, 2, 2], [])));
  await page.getByLabel("Labels (").setInputFiles(file("labels", idx([0], [])));
  await page.getByRole("alert").getByText("There are no examples in it.").waitFor();
  await page.getByLabel("Images (").setInputFiles(file("images", gzipSync(images)));
  await page.getByLabel("Labels (").setInputFiles(file("labels", "seven,three"));
  await page.getByRole("alert").getByText("The file of labels begins with 0x73657665").waitFor();
  await page.getByLabel("Labels (").setInputFiles(file("labels", idx([2], [7, 3])));
  await page.getByText("2 examples ready").waitFor();
});

/** How many of an element's pixels, as they are on the screen, are not the colour of its corner. */
async function inkOn(page: Page, element: Locator): Promise<number> {
  const png = (await element.screenshot()).toString("base64");
  return page.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d")!;
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const pixels = new Uint32Array(data.buffer);
    return pixels.filter((pixel) => pixel !== pixels[0]).length;
  }, png);
}
