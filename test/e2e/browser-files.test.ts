import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, coordinatorOfFile, firstUpdate } from "../support/browser-federation.ts";
import { type Canary, canariesIn } from "../support/canary.ts";
import { dataFolder } from "../support/data-folder.ts";
import { greyPng } from "../support/png.ts";
import { recordingProxy } from "../support/recording-proxy.ts";

const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } };
const size = 8;
/** Bytes that nothing else in a run looks like; light for cats, dark for dogs. */
const pixelsOf = (dog: boolean, seed: number) =>
  Uint8Array.from({ length: size * size }, (_, i) => ((i * 37 + seed * 11) % 97) + (dog ? 0 : 150));

async function petsFolder(): Promise<{ folder: string; pixels: Uint8Array[] }> {
  const folder = join(await dataFolder(), "pets");
  const pixels: Uint8Array[] = [];
  for (const label of ["cats", "dogs"]) {
    await mkdir(join(folder, label), { recursive: true });
    for (let i = 0; i < 6; i++) {
      pixels.push(pixelsOf(label === "dogs", i));
      await writeFile(join(folder, label, `${i}.png`), greyPng(size, size, pixels.at(-1)!));
    }
  }
  return { folder, pixels };
}

const petsRun = { ...alone, data: { kind: "images", shape: [size, size, 1], classes: 2 } };

browserTest("images in folders are read and trained on; what is no image is named; no pixel leaves", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(petsRun);
  const proxy = await recordingProxy(coordinator.url);
  const { folder, pixels } = await petsFolder();
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${proxy.url}/join`);
  await writeFile(join(folder, "dogs", "broken.png"), "no image");
  await page.getByLabel("Folder", { exact: true }).setInputFiles(folder);
  await page.getByRole("alert").getByText("dogs/broken.png is not an image that this browser can read.").waitFor();
  await writeFile(join(folder, "dogs", "broken.png"), greyPng(size, size, pixels[6]!));
  await page.getByLabel("Folder", { exact: true }).setInputFiles(folder);
  await page.getByText("13 examples ready").waitFor();
  expect(await page.getByLabel("Examples in each class").textContent()).toBe("cats6dogs7");
  await page.getByRole("img", { name: "13 of your images, each with its class" }).waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run))[0]!.weight).toBe(13);

  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  const model = page.getByRole("region", { name: "The model so far" });
  const picture = model.getByLabel("Picture");
  await picture.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no image") });
  await model.getByRole("alert").getByText("notes.txt is not an image that this browser can read.").waitFor();
  await picture.setInputFiles(join(folder, "cats", "0.png"));
  await model.getByText(/^The model says: (cats|dogs)$/).waitFor();
  expect(await model.getByRole("alert").count()).toBe(0);
  expect(complaints).toEqual([]);

  const canaries = pixels.map((image, i): Canary => {
    const row = image.subarray(0, 2 * size);
    const floats = Float32Array.from(row, (value) => value / 255);
    const names = [
      { how: "pixels", bytes: row },
      { how: "pixels in base64", bytes: Buffer.from(Buffer.from(row.subarray(0, 15)).toString("base64")) },
      { how: "float32", bytes: new Uint8Array(floats.buffer) },
      { how: "file", bytes: greyPng(size, size, image).subarray(33, 65) },
    ];
    return { name: `image ${i}`, encodings: names };
  });
  expect(canariesIn(proxy.captured, canaries)).toEqual([]);
});

const table = `petal,kind\n${Array.from({ length: 40 }, (_, i) => `${i / 10},${i < 20 ? "a" : "b"}`).join("\n")}\n`;
const tableRun = { cohort: alone.cohort, data: { kind: "table", shape: [1], classes: 2 } };

/** Drops files of text on the data's card, or beside it. */
async function drop(page: Page, files: Readonly<Record<string, string>>, on = "section[aria-labelledby=data]") {
  const transfer = await page.evaluateHandle((contents) => {
    const data = new DataTransfer();
    for (const [name, content] of Object.entries(contents)) data.items.add(new File([content], name));
    return data;
  }, files);
  await page.locator(on).dispatchEvent("drop", { dataTransfer: transfer });
}

browserTest("a dropped table is read; a file that this run cannot use is refused by name", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({ ...tableRun, stop: { rounds: 1 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("File", { exact: true }).waitFor();
  await drop(page, { "cat.png": "no use" });
  await page.getByRole("alert").getByText("This run has no use for cat.png.").waitFor();
  await drop(page, { "flowers.csv": table });
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("40 examples ready").waitFor();
  await page.getByText("1 feature: petal").waitFor();
});

browserTest(
  "files that the person keeps let a reload join again, outlast leaving, and go when they say so",
  async () => {
    const coordinator = await coordinatorOfFile();
    await coordinator.startRun({ ...tableRun, evaluation: { on: "nowhere" }, stop: { rounds: 10_000 } });
    const { page } = await openPage(chromiumFlags.wasm);
    await page.goto(`${coordinator.url}/join`);
    await page.getByLabel("File", { exact: true }).waitFor();
    await drop(page, { "flowers.csv": table });
    await page.getByRole("button", { name: "Use this table" }).click();
    await page.getByLabel("Keep these files in this browser").check();
    await page.getByText("They are kept.").waitFor();
    await page.getByRole("button", { name: "Join" }).click();
    const sent = firstUpdate(page);
    await sent.waitFor();

    await page.reload();
    await sent.waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByText("The files that you chose to keep are still in this browser").waitFor();

    await page.reload();
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("40 examples ready").waitFor();
    await page.getByLabel("Keep these files in this browser").uncheck();
    await page.getByText("They are kept.").waitFor({ state: "hidden" });
    await page.reload();
    await page.getByRole("radio", { name: /Digits, together/ }).waitFor();
    expect(await page.getByText("An earlier visit kept data").count()).toBe(0);
  },
);

browserTest("a folder without images is explained, and images are read anew for a run of another size", async () => {
  const coordinator = await coordinatorOfFile();
  const { folder } = await petsFolder();
  const bare = await dataFolder();
  for (const name of ["a.heic", "b.heic"]) await writeFile(join(bare, name), "no browser reads this");
  await coordinator.startRun({ ...petsRun, name: "Large", data: { ...petsRun.data, shape: [16, 16, 3] } });
  await coordinator.startRun({ ...petsRun, name: "Small" });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByRole("radio", { name: /Small/ }).check();
  await page.getByLabel("Folder", { exact: true }).setInputFiles(bare);
  await page
    .getByRole("alert")
    .getByText(/This folder has no image that browsers read .*, but [ab]\.heic, [ab]\.heic\./)
    .waitFor();
  await page.getByLabel("Folder", { exact: true }).setInputFiles(folder);
  await page.getByText("12 examples ready").waitFor();
  await page.getByRole("radio", { name: /Large/ }).check();
  await expect.poll(() => page.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
  expect(complaints).toEqual([]);
});

browserTest("what a person chose instead of files that were still being read is what is trained on", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(alone);
  const folder = join(await dataFolder(), "many");
  const image = greyPng(600, 600, new Uint8Array(600 * 600).fill(7));
  for (let label = 0; label < 10; label++) {
    await mkdir(join(folder, `${label}`), { recursive: true });
    for (let i = 0; i < 8; i++) await writeFile(join(folder, `${label}`, `${i}.png`), image);
  }
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const choose = async () => {
    await page.getByText("Images in folders").click();
    await page.getByLabel("Folder", { exact: true }).setInputFiles(folder);
  };
  await choose();
  const startedAt = performance.now();
  await page.getByText("80 examples ready").waitFor();
  const readingMs = performance.now() - startedAt;
  await page.getByText("Demo: drawn digits", { exact: true }).click();
  await choose();
  await page.getByText("Demo: drawn digits", { exact: true }).click();
  await chooseDigits(page, { device: 1, of: 5 });
  // As long as reading all of the folder took, and half as long again.
  await page.waitForTimeout(1.5 * readingMs);
  const shown = Number((await page.getByText("examples ready").textContent())!.match(/\d+/)![0]);
  await page.getByRole("button", { name: "Join" }).click();
  const [round] = await coordinator.rounds(run);
  expect(round!.weight).toBe(shown);
  expect(shown).not.toBe(80);
});

browserTest("what is left out of a folder is said, and what lies deeper belongs to its class", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun(petsRun);
  const folder = join(await dataFolder(), "mixed");
  const put = async (path: string, bytes: Buffer | string) => {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), bytes);
  };
  const image = greyPng(size, size, pixelsOf(true, 1));
  for (const path of ["cat/a.png", "cat/b.png", "dog/nested/c.png"]) await put(path, image);
  for (const path of ["dog/d.HEIC", "bird/e.heic", "cat/._a.png", ".DS_Store"]) await put(path, "no image");
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("Folder", { exact: true }).setInputFiles(folder);
  await page.getByText("3 examples ready").waitFor();
  expect(await page.getByLabel("Examples in each class").textContent()).toBe("cat2dog1");
  const said = await page.getByText("2 files left out").textContent();
  expect(said).toMatch(/left out: (bird\/e\.heic, dog\/d\.HEIC|dog\/d\.HEIC, bird\/e\.heic)\./);
});

browserTest("one dropped table is named, several are refused, and a file beside the card opens nothing", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({ ...tableRun, stop: { rounds: 1 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const field = page.getByLabel("File", { exact: true });
  await field.setInputFiles({ name: "old.csv", mimeType: "text/csv", buffer: Buffer.from("a,b,kind\n1,2,x\n") });
  await page.getByText("Columns (2)").waitFor();
  await drop(page, { "one.csv": table, "two.csv": table });
  await page.getByRole("alert").getByText("One file is wanted here, and 2 were dropped: one.csv, two.csv.").waitFor();
  await drop(page, { "flowers.csv": table });
  await page.getByText("Columns (1)").waitFor();
  await page.getByText("flowers.csv", { exact: true }).waitFor();
  expect(await field.evaluate((input: HTMLInputElement) => input.files!.length)).toBe(0);
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("40 examples ready from flowers.csv").waitFor();

  const isPrevented = (type: string) =>
    page.evaluate((name) => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], "x.csv"));
      const event = new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data });
      return !document.querySelector("footer")!.dispatchEvent(event);
    }, type);
  expect([await isPrevented("dragover"), await isPrevented("drop")]).toEqual([true, true]);
});

browserTest("a large table is read with its progress in sight, and reading it can be stopped", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({ ...tableRun, stop: { rounds: 1 } });
  const path = join(await dataFolder(), "large.csv");
  const rows = Array.from({ length: 200_000 }, (_, i) => `${i / 10},${i % 2 ? "a" : "b"},${"x".repeat(60)}`);
  await writeFile(path, `petal,kind,note\n${rows.join("\n")}\n`);
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("File", { exact: true }).setInputFiles(path);
  await page.getByLabel("Column to predict").selectOption("kind");
  await page.getByText("Columns (2)").click();
  await page.getByLabel("How to use note").selectOption("leave out");
  const seen = await page.evaluateHandle(() => {
    const shares = new Set<string>();
    const look = () => {
      const share = document.querySelector(".reading span")?.textContent;
      if (share) shares.add(share);
      requestAnimationFrame(look);
    };
    look();
    return shares;
  });
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByRole("button", { name: "Stop reading" }).click();
  await page.getByText("Reading…").waitFor({ state: "hidden" });
  expect(await page.getByText("examples ready").count()).toBe(0);
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("200,000 examples ready from large.csv").waitFor({ timeout: 60_000 });
  expect(await seen.evaluate((shares) => shares.size)).toBeGreaterThan(3);
  expect(complaints).toEqual([]);
});
