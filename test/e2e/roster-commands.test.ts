import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startCli } from "../support/cli-process.ts";
import { dataFolder } from "../support/data-folder.ts";

test("an operator makes a key, signs a roster, and the coordinator and the devices go by it", async () => {
  const folder = await dataFolder();
  const file = (name: string) => join(folder, name);
  const made = await startCli(["roster", "keygen", file("operator.key")]).finished;
  expect(made.code).toBe(0);
  expect((await stat(file("operator.key"))).mode & 0o777).toBe(0o600);
  const operatorKey = /operator key: (\S{44})/.exec(made.stdout)![1]!;

  const sign = async (members: object[]) => {
    await writeFile(file("roster.json"), JSON.stringify({ members }));
    return startCli(["roster", "sign", file("roster.json"), "--key", file("operator.key")]).finished;
  };
  const launch = async (port: string, ...flags: string[]) => {
    const data = ["--data-folder", file("data"), "--port", port, "--json", "--log-level", "silent"];
    const coordinator = startCli(["coordinator", ...data, ...flags]);
    return { coordinator, started: await coordinator.line("listening") };
  };
  const lend = (to: unknown, ...flags: string[]) =>
    startCli([
      ...["join", "--coordinator", to as string, "--identity", file("device.json"), "--operator-key", operatorKey],
      ...["--examples", "40", "--engine", "cpu", "--json", ...flags],
    ]);

  // Not yet on the roster: the refusal names the key that the operator may add.
  expect((await sign([])).code).toBe(0);
  const before = await launch("0", "--roster", file("roster.json"));
  expect(before.started).toMatchObject({ operatorKey });
  const refused = await lend(before.started["url"]).finished;
  expect(refused.code).toBe(1);
  const publicKey = /key is (\S{44})/.exec(refused.stderr)![1]!;
  before.coordinator.process.kill("SIGTERM");
  await before.coordinator.finished;

  expect((await sign([{ name: "the first device", publicKey }])).stdout).toContain(
    `one device, signed by ${operatorKey}`,
  );
  expect(JSON.parse(await readFile(file("roster.json"), "utf8"))).toMatchObject({
    operatorKey,
    members: [{ publicKey }],
  });
  // On the same port: a device has a key for each address.
  const { port } = new URL(before.started["url"] as string);
  const after = await launch(port, "--roster", file("roster.json"));
  expect(after.started["coordinatorKey"]).toBe(before.started["coordinatorKey"]);
  const device = lend(after.started["url"], "--coordinator-key", after.started["coordinatorKey"] as string);
  await device.line("connected");
  device.process.kill("SIGTERM");
  expect((await device.finished).lines.filter(({ type }) => type === "notice")).toEqual([]);
  after.coordinator.process.kill("SIGTERM");
  await after.coordinator.finished;

  // Another coordinator, whoever runs it, may not pass for the first.
  const other = await launch(port, "--data-folder", file("elsewhere"));
  const changed = await lend(other.started["url"]).finished;
  expect(changed).toMatchObject({ code: 1, stderr: expect.stringContaining("coordinator_changed") });
});

test("what is not a roster, and what is not a key, is said to be so", async () => {
  const folder = await dataFolder();
  const roster = join(folder, "roster.json");
  const key = join(folder, "operator.key");
  await startCli(["roster", "keygen", key]).finished;
  await writeFile(roster, "members: none");
  const sign = (...args: string[]) => startCli(["roster", "sign", ...args]).finished;
  expect(await sign(roster, "--key", key)).toMatchObject({ code: 2, stderr: expect.stringContaining("is not JSON") });
  await writeFile(roster, JSON.stringify({ members: [{ publicKey: "short" }] }));
  expect(await sign(roster, "--key", key)).toMatchObject({ code: 2, stderr: expect.stringContaining("publicKey") });
  expect(await sign(roster, "--key", roster)).toMatchObject({ code: 2, stderr: expect.stringContaining("keygen") });
  const typo = await startCli(["join", "--operator-key", "short"]).finished;
  expect(typo).toMatchObject({ code: 2, stderr: expect.stringContaining("44 characters") });
});
