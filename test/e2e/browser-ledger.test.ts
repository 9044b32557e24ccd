import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { LedgerEntry } from "@tributary/participant";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, firstUpdate, startCoordinator } from "../support/browser-federation.ts";
import { recordingProxy } from "../support/recording-proxy.ts";

const sum = (entries: readonly LedgerEntry[]) => entries.reduce((total, { bytes }) => total + bytes, 0);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function exported(page: Page): Promise<LedgerEntry[]> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as JSON" }).click(),
  ]);
  return JSON.parse(await readFile(await download.path(), "utf8"));
}

/** Bytes of bodies that the coordinator has got, by its own metrics. */
async function countedUp(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^tributary_http_bytes_total\{direction="up"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
}

browserTest("the ledger names every byte that left, and the coordinator counted as many", async () => {
  const coordinator = await startCoordinator();
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const { run } = await coordinator.startRun({ cohort, stop: { rounds: 2 } });
  const proxy = await recordingProxy(coordinator.url);
  const before = await countedUp(coordinator.url);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${proxy.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  const rounds = await coordinator.rounds(run);
  await page.getByText("The run is over").waitFor();

  const ledger = page.getByRole("region", { name: "What left this device" });
  await expect.poll(async () => sum(await exported(page))).toBe(proxy.payloadBytes());
  const entries = await exported(page);
  const hashes = entries.filter(({ bytes }) => bytes > 0).map((entry) => entry.sha256);
  const sent = proxy.captured.map((one) => (one.kind === "frame" ? one.payload : one.body));
  expect(hashes.sort()).toEqual(
    sent
      .filter(({ byteLength }) => byteLength > 0)
      .map(sha256)
      .sort(),
  );
  const bodies = entries.filter(({ destination }) => /^(POST|PUT) /.test(destination));
  expect(sum(bodies)).toBe((await countedUp(coordinator.url)) - before);
  const updates = entries.filter(({ kind }) => kind === "update");
  expect(updates.map(({ round }) => round)).toEqual([1, 2]);
  // A round's record counts what it was made from, not what judged it.
  expect(sum(updates)).toBe(rounds.reduce((total, { bytesUp }) => total + bytesUp, 0));

  // Requests without a body are in it too, but for those that load the page's own files.
  const asked = ({ destination }: LedgerEntry) => destination.replace(/(http|ws):\/\/[^/]+/, "");
  await expect
    .poll(async () => {
      const noted = (await exported(page)).filter(({ destination }) => /^[A-Z]+ /.test(destination)).map(asked);
      const left = proxy.captured.flatMap((one) =>
        one.kind === "request" && /^\/(v1|socket\.io)\//.test(one.path)
          ? [`${one.method} ${one.path.replace(/^\/socket\.io\/.*/, "/socket.io")}`]
          : [],
      );
      return { noted: noted.sort(), left: left.sort() };
    })
    .toSatisfy(({ noted, left }) => left.includes("GET /v1/runs") && noted.join("\n") === left.join("\n"));

  // What the page shows is what it saves.
  await expect
    .poll(async () => {
      const total = `${(await exported(page)).length} messages`;
      return (await ledger.locator(".total").textContent())!.startsWith(total);
    })
    .toBe(true);
  const rows = ledger.getByRole("region", { name: "One by one" }).locator("tbody tr");
  expect(await rows.filter({ hasText: "Request without content" }).count()).toBeGreaterThan(0);
  await ledger.getByLabel("Leave out requests without content").check();
  expect(await rows.filter({ hasText: "Request without content" }).count()).toBe(0);
  expect(await rows.count()).toBeGreaterThan(0);
  await ledger.getByText("Not noise: some byte values occur far more often").waitFor();
  expect(await ledger.getByRole("cell", { name: "in the clear" }).count()).toBeGreaterThan(0);
});

browserTest("a masked update is drawn, and is noise", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({
    secureAggregation: "required",
    evaluation: { on: "nowhere" },
    stop: { rounds: 1 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  for (const shard of ["2/3", "3/3"]) coordinator.joinNode(run, shard);
  await coordinator.rounds(run);
  const ledger = page.getByRole("region", { name: "What left this device" });
  await ledger.getByText("Update of round 1, the bytes as they left (masked)").waitFor();
  await ledger.getByText("Noise: every byte value occurs about equally often").waitFor();
  const shades = await ledger.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]!);
  });
  // 4,096 bytes of noise: mean 127.5, and the mean's standard deviation is 74 / 64.
  expect(Math.abs(shades.reduce((total, shade) => total + shade, 0) / shades.length - 127.5)).toBeLessThan(6);
  expect(new Set(shades).size).toBe(256);
  await ledger.getByRole("cell", { name: "masked: only the sum can be read" }).first().waitFor();
  const entries = await exported(page);
  expect(entries.filter(({ kind }) => kind === "update").map(({ protection }) => protection)).toEqual(["masked"]);
  expect(complaints).toEqual([]);
});

browserTest("a reload keeps the ledger of its tab, and another tab has one of its own", async () => {
  const coordinator = await startCoordinator();
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const { run } = await coordinator.startRun({ cohort, stop: { rounds: 10_000 } });
  const proxy = await recordingProxy(coordinator.url);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${proxy.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();
  await page.reload();
  await firstUpdate(page).waitFor({ timeout: 60_000 });
  await coordinator.post(`/v1/runs/${run}/stop`);
  await page.getByText("The operator stopped the run").waitFor();
  // Every request that passed the proxy, before the reload and after it: each is written down before it leaves.
  const passed = () => new Set(proxy.captured.flatMap((one) => (one.kind === "request" ? [sha256(one.body)] : [])));
  await expect
    .poll(async () => {
      const noted = new Set((await exported(page)).map((entry) => entry.sha256 as string));
      return [...passed()].filter((hash) => !noted.has(hash));
    })
    .toEqual([]);
  const enrolments = (await exported(page)).filter(({ kind }) => kind === "enrolment");
  expect(enrolments).toHaveLength(1);

  const other = await page.context().newPage();
  await other.goto(`${proxy.url}/join`);
  await other.getByText("No run is open just now").waitFor();
  await other
    .getByRole("region", { name: "What left this device" })
    .getByText(/^\d+ messages?, 0 bytes in all\.$/)
    .waitFor();
});
