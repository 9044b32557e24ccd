import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { startCoordinator } from "../support/browser-federation.ts";
import { canariesIn, numberCanary, textCanary } from "../support/canary.ts";
import { recordingProxy } from "../support/recording-proxy.ts";

const float32 = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
/** Values that nothing else in a run looks like. */
const incomes = [float32(0x42cafe17), float32(0x3fc0ffee), float32(0xc1d00d1e)];
const towns = ["Zwiebelfeld-am-Kanarienweg", "Kanarienvogel über Quux", "plain"];

const table = `income,town,kind
${Array.from({ length: 30 }, (_, i) => `${incomes[i % 3]},${towns[i % 3]},${i % 2 ? "a" : "b"}`).join("\n")}
`;

browserTest("planted values of a page's data appear in nothing that the browser sends", async () => {
  const coordinator = await startCoordinator();
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const data = { kind: "table", shape: [4], target: "class", classes: 2 };
  const { run } = await coordinator.startRun({ cohort, stop: { rounds: 1 }, data });
  const proxy = await recordingProxy(coordinator.url);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${proxy.url}/join`);
  const buffer = Buffer.from(table);
  const file = { name: "canaries.csv", mimeType: "application/octet-stream", buffer };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByText("Columns (2)").click();
  await page.getByLabel("How to use town").selectOption("category");
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("30 examples ready").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect((await coordinator.rounds(run))[0]!.weight).toBe(30);
  const sent = proxy.captured.map((one) => (one.kind === "request" ? `${one.method}` : "frame"));
  expect(sent).toEqual(expect.arrayContaining(["PUT", "frame"]));
  const canaries = [...incomes.map(numberCanary), ...towns.slice(0, 2).map(textCanary)];
  expect(canariesIn(proxy.captured, canaries)).toEqual([]);
});
