import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type RoundRecord, routes } from "@tributary/protocol";
import type { Worker } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, endlessAlone, engineShown, startCoordinator } from "../support/browser-federation.ts";
import { staticHost } from "../support/static-host.ts";

const workspace = dirname(createRequire(import.meta.url).resolve("@tributary/browser-client/package.json"));
const built = join(workspace, "dist/page");
const verify = join(workspace, "verify.mjs");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const buildHash = sha256(readFileSync(join(built, "integrity.json")));

/** A host's own policy, as docs/join-page.md tells hosts to send it. */
const policyFor = (coordinator: string) => (path: string) => {
  const connect = /\/training-worker-/.test(path)
    ? "blob:"
    : `'self' ${coordinator} ${coordinator.replace("http", "ws")}`;
  return {
    "content-security-policy":
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
      `connect-src ${connect}; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
};

browserTest("a page from another origin finishes a secure round with Node devices", async () => {
  // The page has to be there before the coordinator that is to allow it; its policy names the coordinator.
  let coordinatorUrl = "";
  const host = await staticHost(built, (path) => policyFor(coordinatorUrl)(path));
  const coordinator = await startCoordinator("--allow-origin", host.url);
  coordinatorUrl = coordinator.url;
  const { run } = await coordinator.startRun({ secureAggregation: "required", stop: { rounds: 1 } });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${host.url}/?coordinator=${coordinator.url}`);
  await page.getByText(`It came from ${new URL(host.url).host}, not from the coordinator`).waitFor();
  await page.getByText(buildHash).waitFor();
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  for (const shard of ["2/3", "3/3"]) coordinator.joinNode(run, shard);
  const [round] = await coordinator.rounds(run);
  expect(round!.survivors).toHaveLength(3);
  expect(round!.evaluation!["loss"]).toBeLessThan(2.3);
  await page.getByText("The run is over. Thank you").waitFor();
  await page
    .getByRole("log")
    .getByText(/Round 1: sent the update, .*masked/)
    .waitFor();
  expect(complaints).toEqual([]);
  // Its own files, and no byte of what the device sends.
  expect(host.asked.filter((request) => !/^(GET|HEAD) /.test(request))).toEqual([]);
});

browserTest("a page that the coordinator does not allow says so, and how it would be allowed", async () => {
  const coordinator = await startCoordinator("--allow-origin", "https://join.example");
  await coordinator.startRun();
  const host = await staticHost(built, policyFor(coordinator.url));
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${host.url}/?coordinator=${coordinator.url}`);
  await page.getByText(`answers, but not to pages that come from ${host.url}`).waitFor();
  await page.getByText(`tributary coordinator --allow-origin ${host.url}`).waitFor();
  expect(await page.getByRole("radio", { name: /Digits, together/ }).count()).toBe(0);
});

browserTest("a page without policy of its host still takes itself every address but the coordinator's", async () => {
  const elsewhere = await staticHost(built);
  const host = await staticHost(built);
  const coordinator = await startCoordinator("--allow-origin", host.url);
  const { run } = await coordinator.startRun(endlessAlone);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${host.url}/?coordinator=${coordinator.url}`);
  await chooseDigits(page, { device: 1, of: 3 });
  // Its files come to the training worker as blobs of the page.
  expect(await engineShown(page)).toContain("Trains on WebAssembly");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  // Workers go by the policy that their own files come with: here there is none.
  const places: Pick<Worker, "evaluate">[] = [page, ...page.workers()];
  expect(places).toHaveLength(3);
  for (const place of places) {
    const reached = (url: string) =>
      place.evaluate((address) => fetch(address, { mode: "no-cors" }).then(Boolean, () => false), url);
    expect(await reached(`${coordinator.url}/healthz`)).toBe(true);
    expect(await reached(`${elsewhere.url}/index.html`)).toBe(false);
  }
  expect(elsewhere.asked).toEqual([]);
  const rounds = () => coordinator.get<RoundRecord[]>(routes.rounds(run));
  await expect.poll(async () => (await rounds())[0]?.weight).toBeGreaterThan(0);
});

browserTest("a worker whose host confines it is confined by its host", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun(endlessAlone);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  const [training] = page.workers();
  // It reads the data, and may ask nobody, not even the coordinator.
  const reached = training!.evaluate((url) => fetch(url).then(Boolean, () => false), `${coordinator.url}/healthz`);
  expect(await reached).toBe(false);
});

browserTest("an address that says something wrong is explained by what is wrong with it", async () => {
  const host = await staticHost(built);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${host.url}/?coordinator=javascript:alert(1)`);
  await page.getByText("After coordinator= stands “javascript:alert(1)”").waitFor();
  await page.goto(`${host.url}/?coordinator=http://127.0.0.1:1&operator-key=short`);
  await page.getByText("After operator-key= stands “short”").waitFor();
  await page.goto(`${host.url}/`);
  await page.getByText(/No coordinator answers at .*add \?coordinator=/).waitFor();
});

browserTest("the coordinator's own copy says that it must be trusted", async () => {
  const coordinator = await startCoordinator();
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByText("It came from the coordinator itself").waitFor();
  await page.getByText(buildHash).waitFor();
  // Its policy lets it talk to nobody else.
  await page.goto(`${coordinator.url}/join/?coordinator=http://127.0.0.1:1`);
  await page.getByText(/This copy of the page comes from .*, and not to 127\.0\.0\.1:1\./).waitFor();
});

test("integrity.json holds the SHA-256 of every file that a page is made of", async () => {
  const hashes = JSON.parse(readFileSync(join(built, "integrity.json"), "utf8")) as Record<string, string>;
  expect(Object.keys(hashes)).toEqual(
    expect.arrayContaining(["index.html", expect.stringMatching(/^assets\/index-.*js$/)]),
  );
  for (const [name, hash] of Object.entries(hashes)) expect(sha256(readFileSync(join(built, name))), name).toBe(hash);
});

test("what a coordinator serves is verified by one command, and a changed file is named", async () => {
  const coordinator = await startCoordinator();
  const served = execFileSync(process.execPath, [verify, `${coordinator.url}/join`], { encoding: "utf8" });
  expect(served).toContain(`build ${buildHash}: every file is as listed`);

  const copy = mkdtempSync(join(tmpdir(), "tributary-page-"));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(built, copy, { recursive: true });
  writeFileSync(join(copy, "index.html"), "<script src=https://evil.example></script>");
  const changed = spawnSync(process.execPath, [verify, copy], { encoding: "utf8" });
  expect(changed.status).toBe(1);
  expect(changed.stderr).toMatch(/^index.html is [0-9a-f]{64}; expected [0-9a-f]{64}$/m);
  expect(spawnSync(process.execPath, [verify]).status).toBe(2);
});

test("an origin that no browser sends is refused when the coordinator starts", () => {
  const cli = join(workspace, "../cli/bin/tributary.js");
  for (const origin of ["*", "join.example", "https://join.example/join", "file:///join"]) {
    const { status, stderr } = spawnSync(process.execPath, [cli, "coordinator", "--allow-origin", origin], {
      encoding: "utf8",
    });
    expect(status, origin).toBe(2);
    expect(stderr).toContain("is no origin: give scheme, host and port");
  }
});

test("only an allowed page's requests are answered in a way that its browser lets it read", async () => {
  const coordinator = await startCoordinator("--allow-origin", "https://join.example");
  const ask = (origin: string, method = "GET") =>
    fetch(`${coordinator.url}/v1/runs`, {
      method,
      headers: { origin, ...(method === "OPTIONS" ? { "access-control-request-method": "PUT" } : {}) },
    });
  const allowed = await ask("https://join.example");
  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://join.example");
  expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
  expect((await ask("https://join.example", "OPTIONS")).status).toBe(204);
  for (const method of ["GET", "OPTIONS"]) {
    const refused = await ask("https://other.example", method);
    expect(refused.status).toBe(403);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  }
});
