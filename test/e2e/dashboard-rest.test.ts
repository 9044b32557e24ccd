import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type ClientRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { specOf } from "../support/specs.ts";

const oneDevice = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 20 } };

/** What a shell answers to a command, with curl told to fail where it is refused. */
async function shell(command: string, env: Record<string, string> = {}): Promise<string> {
  const failing = command.replace(/^curl /, "curl --silent --show-error --fail-with-body ");
  const { stdout } = await promisify(execFile)("sh", ["-c", failing], { env: { ...process.env, ...env } });
  return stdout;
}

/** The names of a view's resources, and the command that its button copies. */
async function resourcesOf(page: Page) {
  const section = page.locator("details.rest");
  await section.locator("summary").click();
  const names = async () =>
    (await section.locator("li").locator("a, code").allTextContents()).map((name) => name.trim());
  const copy = async (name: string) => {
    await section.getByRole("button", { name: `Copy as curl: ${name}`, exact: true }).click();
    await section.getByRole("status").getByText(`The command for ${name} is copied.`).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  return { names, copy };
}

browserTest("every view names the REST resources behind it, and its commands do in a shell what it does", async () => {
  const { url } = await localCoordinator();
  const name = `it's "quoted" $HOME`;
  const { run } = await createRun(url, specOf({ ...oneDevice, name }));
  const device = await HandDevice.joined(url, run, { name: "box" });
  await device.answer(await device.asked(), tinyUpdate(0.1));
  await runThat(url, run, ({ round }) => round === 1);
  const { page } = await openPage(undefined, { permissions: ["clipboard-read", "clipboard-write"] });
  const open = async (place: string) => {
    await page.goto("about:blank");
    await page.goto(`${url}/#/${place}`);
    await page.getByText("Live", { exact: true }).waitFor();
    return resourcesOf(page);
  };
  const recordOf = async () => (await call<RunRecord>(url, `GET ${routes.run(run)}`)).body;
  const commands = [`GET /v1/runs/${run}`, `POST /v1/runs/${run}/pause`, `POST /v1/runs/${run}/stop`];

  const runs = await open("");
  expect(await runs.names()).toEqual(["GET /v1/runs", "GET /v1/runs/RUN/history?points=60", "GET /v1/events?after=0"]);
  expect(JSON.parse(await shell(await runs.copy("GET /v1/runs")))).toHaveLength(1);

  const overview = await open(`runs/${run}`);
  expect(await overview.names()).toEqual(
    expect.arrayContaining([...commands, `GET /v1/runs/${run}/history?points=1000`]),
  );
  await shell(await overview.copy(`POST /v1/runs/${run}/pause`));
  expect((await recordOf()).phase).toBe("paused");

  for (const [place, ...resources] of [
    [`runs/${run}/rounds`, `GET /v1/runs/${run}/rounds`],
    [`runs/${run}/devices`, `GET /v1/runs/${run}/clients`, "DELETE /v1/clients/CLIENT"],
    [`runs/${run}/rounds/1`, `GET /v1/runs/${run}/rounds/1`, `GET /v1/runs/${run}/rounds/1/timeline`],
    [`compare/${run}`, "GET /v1/runs", `GET /v1/runs/${run}/history?points=1000`],
  ] as const) {
    expect(await (await open(place)).names(), place).toEqual(expect.arrayContaining([...resources]));
  }

  const versions = await open(`runs/${run}/versions`);
  await shell(await versions.copy(`POST /v1/runs/${run}/rollback`));
  expect((await recordOf()).modelVersion).toBe(2);

  const fresh = await open(`new/${run}`);
  await page.getByText("The specification is valid.").waitFor();
  await shell(await fresh.copy("POST /v1/runs/check"));
  const created = JSON.parse(await shell(await fresh.copy("POST /v1/runs"))) as RunRecord;
  expect(created.name).toBe(name);

  const clients = await open("clients");
  const revoke = (await clients.copy("DELETE /v1/clients/CLIENT")).replace("CLIENT", device.client);
  await shell(revoke);
  expect((await call<ClientRecord[]>(url, `GET ${routes.clients()}`)).body[0]!.revoked).toBe(true);
});

browserTest("a command names the key's variable, never the key", async () => {
  const { url, minted } = await localCoordinator({ host: "0.0.0.0", tls: "self-signed" });
  const { page } = await openPage(chromiumFlags.wasm, {
    ignoreHTTPSErrors: true,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.goto(url.replace("0.0.0.0", "127.0.0.1"));
  await page.getByLabel("Admin key").fill(minted!.adminKey);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("No run yet").waitFor();
  const { copy } = await resourcesOf(page);
  const command = await copy("GET /v1/runs");
  expect(command).toContain('-H "Authorization: Bearer $TRIBUTARY_ADMIN_KEY"');
  expect(command).not.toContain(minted!.adminKey);
  const trusting = command.replace("curl ", "curl --insecure ");
  expect(await shell(trusting, { TRIBUTARY_ADMIN_KEY: minted!.adminKey })).toBe("[]");
  await expect(shell(trusting)).rejects.toThrow("401");
  for (const place of ["#/", "#/clients", "#/new"]) {
    await page.goto(`${new URL(page.url()).origin}/${place}`);
    await page.locator("details.rest summary").click();
    expect(await page.content()).not.toContain(minted!.adminKey);
  }
});

browserTest(
  "where there is no clipboard interface, as off a secure origin, the command is copied all the same",
  async () => {
    const { url } = await localCoordinator();
    const { page } = await openPage();
    await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.goto(`${url}/#/clients`);
    await page.getByText("0 rows").waitFor();
    await page.locator("details.rest summary").click();
    const button = page.getByRole("button", { name: "Copy as curl: GET /v1/clients" });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText("The command for GET /v1/clients is copied.").waitFor();
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    const find = page.getByLabel("Find by name");
    await find.focus();
    await page.keyboard.press("Control+v");
    await expect.poll(() => find.inputValue()).toBe(`curl '${url}/v1/clients'`);
  },
);
