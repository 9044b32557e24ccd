import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { startCoordinator } from "../support/browser-federation.ts";
import { canariesIn, textCanary } from "../support/canary.ts";
import { recordingProxy } from "../support/recording-proxy.ts";

const planted = "the canary Quuxifer sings of Zwiebelfeld";
const song = `${planted}\n${"la la la, di da\n".repeat(8)}`;
const vocabulary = [...new Set(song)].sort().join("");
const textRun = {
  cohort: { size: 1, minimum: 1, overSelect: 1 },
  algorithm: { name: "fedavg", learningRate: 0.5, batchSize: 16 },
  model: { preset: "char-gru", embedding: 4, units: 8 },
  data: { kind: "text", shape: [6], target: "class", classes: vocabulary.length, vocabulary },
  stop: { rounds: 1 },
};
const file = (name: string, content: string | Uint8Array) => ({
  name,
  mimeType: "text/plain",
  buffer: Buffer.from(content),
});

browserTest("a text is read and trained on in the page; what does not fit is named; none of it leaves", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun(textRun);
  const proxy = await recordingProxy(coordinator.url);
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${proxy.url}/join`);
  const field = page.getByLabel("Text", { exact: true });
  const alert = page.getByRole("region", { name: "Your data" }).getByRole("alert");
  for (const [name, content, said] of [
    ["photo.txt", Uint8Array.of(0xff, 0xd8, 0, 0, 7), "photo.txt is not text; a text in UTF-8 is wanted."],
    ["empty.txt", "", "The text is empty"],
    ["other.txt", "la la\nla É la\n", 'Line 2, column 4 is "É", which is not in the vocabulary of'],
  ] as const) {
    await field.setInputFiles(file(name, content));
    await alert.getByText(said).waitFor();
    expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);
  }
  await field.setInputFiles(file("song.txt", song));
  await page.getByText(`${song.length} examples ready`).waitFor();
  await page
    .getByText(
      `${song.length} characters, each to be told from a window of the 6 before it; ` +
        `${vocabulary.length} of the run's ${vocabulary.length} characters occur.`,
    )
    .waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run))[0]!.weight).toBe(song.length);

  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  const beginning = page.getByRole("textbox", { name: "Beginning" });
  await beginning.fill(`${planted}: É`);
  await page.getByRole("button", { name: "Go on" }).click();
  const model = page.getByRole("region", { name: "The model so far" });
  await model
    .getByRole("alert")
    .getByText(/Character \d+ is ":", which is not in the vocabulary of/)
    .waitFor();
  await beginning.fill(planted);
  await page.getByRole("button", { name: "Go on" }).click();
  await model.locator('[role="status"][aria-busy="false"]').getByText("The model writes:").waitFor();
  const written = (await model.locator("strong").textContent())!;
  expect([...written]).toHaveLength(160);
  expect([...written].filter((character) => !vocabulary.includes(character))).toEqual([]);
  expect(await model.getByRole("alert").count()).toBe(0);
  expect(complaints).toEqual([]);
  expect(canariesIn(proxy.captured, [textCanary(planted)])).toEqual([]);
});
