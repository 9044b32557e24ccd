import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atOnce, cli, startCli, startCoordinatorProcess } from "../support/cli-process.ts";
import { call } from "../support/coordinator-calls.ts";
import { dataFolder } from "../support/data-folder.ts";
import { lineProcess } from "../support/line-process.ts";

/** Small generated digits, one epoch of logistic regression: the least that is a real federation. */
const small = ["--model", "logistic", "--examples", "300", "--clients", "3", "--rounds", "2"];

test("every command explains itself and ends with 0", async () => {
  const [asked, help] = [await cli("--help"), await explained([["--help"]])];
  expect(asked).toMatchObject({ code: 0, stderr: "", stdout: help[0]!.stdout });
  const commands = commandsIn(asked.stdout);
  expect(commands).toEqual(
    expect.arrayContaining(["coordinator", "join", "demo", "runs", "models", "clients", "simulate", "train"]),
  );
  const top = await explained(commands.map((name) => [name, "--help"]));
  const below = await explained(
    top.flatMap(({ args, stdout }) => commandsIn(stdout).map((name) => [args[0]!, name, "--help"])),
  );
  for (const { args, code, stdout } of [...top, ...below]) {
    const path = args.slice(0, -1).join(" ");
    expect({ path, code }).toEqual({ path, code: 0 });
    expect(stdout).toMatch(new RegExp(`^Usage: tributary ${path} .*\n\n\\S`));
  }
  expect(below.map(({ args }) => args.slice(0, -1).join(" "))).toEqual(
    expect.arrayContaining(["runs create", "runs list", "runs watch", "runs stop", "models push", "models pull"]),
  );
});

const commandsIn = (help: string) => {
  const from = help.indexOf("\nCommands:");
  const names = from < 0 ? [] : [...help.slice(from).matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
  return names.filter((name) => name !== "help");
};

/** What the command line says to each of these arguments. */
async function explained(all: readonly string[][]): Promise<{ args: string[]; code: number; stdout: string }[]> {
  const child = lineProcess("cli-help.mjs", JSON.stringify(all));
  expect(await child.ended).toBe(0);
  return child.lines.map((line) => JSON.parse(line));
}

const misuses: [what: string, args: string[], message: RegExp][] = [
  ["no command", [], /Usage: tributary/],
  ["an unknown command", ["jion"], /unknown command 'jion'[\s\S]*Did you mean join\?/],
  ["an unknown flag", ["join", "--shards", "1/2"], /unknown option '--shards'[\s\S]*Did you mean --shard\?/],
  ["a port that is none", ["coordinator", "--port", "70000"], /--port.*70000.*It must be an integer from 0 to 65535/],
  ["a shard that is none", ["join", "--shard", "3/2"], /--shard 3\/2: expected I\/N or I-J\/N with 1 ≤ I ≤ J ≤ N/],
  ["an engine that is none", ["doctor", "--engine", "abacus"], /--engine abacus: there are .*wasm, cpu/],
  ["a model that is none", ["train", "--model", "resnet"], /--model resnet: there are logistic, 2nn, cnn/],
  [
    "a specification that is not there",
    ["runs", "create", "/nowhere/spec.json"],
    /cannot read the specification \/nowhere\/spec\.json/,
  ],
  ["half of a certificate", ["coordinator", "--tls-cert", "x.pem"], /--tls-cert and --tls-key go together/],
  [
    "any host without TLS",
    ["coordinator", "--host", "0.0.0.0"],
    /--tls-cert and --tls-key, or --tls self-signed.*--insecure/,
  ],
  ["too few devices for a secure demo", ["demo", "--clients", "2"], /--clients 2: secure aggregation needs at least 3/],
  [
    "an address that is none",
    ["runs", "list", "--coordinator", "localhost:7600"],
    /not an address like http:\/\/127\.0\.0\.1:7600/,
  ],
];

test("a command line that makes no sense ends with 2, and says what to write instead", async () => {
  const folder = await dataFolder();
  await atOnce(misuses, async ([what, args, message]) => {
    const { code, stderr, stdout } = await startCli(args, { cwd: folder }).finished;
    expect({ what, code, stdout }).toEqual({ what, code: 2, stdout: "" });
    expect(stderr, what).toMatch(message);
    expect(stderr, what).not.toMatch(/\n {4}at /);
  });
});

test("simulate: one seed gives one model, byte for byte, another seed another; the last line is the summary", async () => {
  const run = (seed: string, ...more: string[]) => cli("simulate", "--json", ...small, "--seed", seed, ...more);
  const [first, again, other] = [await run("1"), await run("1"), await run("2")];
  for (const { code, stderr } of [first, again, other]) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const summary = first.lines.at(-1)!;
  expect(first.lines.map(({ type }) => type)).toEqual(["round", "round", "summary"]);
  expect(summary).toMatchObject({
    type: "summary",
    rounds: 2,
    outcome: "finished",
    seed: 1,
    modelSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(again.lines.at(-1)!["modelSha256"]).toBe(summary["modelSha256"]);
  expect(other.lines.at(-1)!["modelSha256"]).not.toBe(summary["modelSha256"]);
});

test("simulate: the spec decides how updates are combined, and the command line overrides it either way", async () => {
  const bytesUp = async (...args: string[]) =>
    (await cli("simulate", "--json", ...small, ...args)).lines.at(-1)!["bytesUp"];
  const file = join(await dataFolder(), "spec.json");
  const spec = {
    name: "plain",
    algorithm: { name: "fedavg", learningRate: 0.1 },
    model: { preset: "logistic" },
    data: { kind: "images", shape: [28, 28, 1], classes: 10 },
    cohort: { size: 3, minimum: 3, overSelect: 1 },
    secureAggregation: "none",
    evaluation: { on: "coordinator" },
    stop: { rounds: 2 },
  };
  await writeFile(file, JSON.stringify(spec));
  const [secure, plain] = [await bytesUp(), await bytesUp("--plain")];
  expect(secure).not.toBe(plain);
  expect([await bytesUp(file), await bytesUp(file, "--secure")]).toEqual([plain, secure]);
  const { code, stderr } = await cli("simulate", "--secure", "--plain", ...small);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("give either --secure or --plain") });
});

test("demo: processes of its own, a line for each round, and a summary with every figure", async () => {
  const { code, lines, stderr } = await cli(
    "demo",
    "--once",
    "--json",
    ...small,
    "--clients",
    "2",
    "--epochs",
    "1",
    "--plain",
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines.map(({ type }) => type)).toEqual(["started", "round", "round", "alone", "alone", "summary"]);
  const summary = lines.at(-1)!;
  expect(summary).toMatchObject({ rounds: 2, secureAggregation: "none" });
  for (const figure of [
    "accuracy",
    "aloneAccuracy",
    "bytesUpPerClientPerRound",
    "bytesDownPerClientPerRound",
    "secondsPerRound",
  ]) {
    expect(summary[figure], figure).toBeGreaterThan(0);
  }
  // Logistic regression on 784 pixels: 7,850 weights, two sums, a header of 24 bytes.
  expect(summary["bytesUpPerClientPerRound"]).toBe(24 + 4 * (7_850 + 2));
  expect(summary["bytesDownPerClientPerRound"]).toBe(4 * 7_850);
  const { port } = new URL(lines[0]!["url"] as string);
  await expect(call(`http://127.0.0.1:${port}`, "GET /healthz")).rejects.toThrow("ECONNREFUSED");
}, 120_000);

test("the pieces by hand: coordinator, spec, three devices in one process, watch, models pulled and pushed", async () => {
  const folder = await dataFolder();
  const coordinator = await startCoordinatorProcess(join(folder, "data"), "--port", "0");
  const at = ["--coordinator", coordinator.url];
  const file = join(folder, "spec.json");
  const spec = {
    name: "by hand",
    algorithm: { name: "fedavg", learningRate: 0.1 },
    model: { preset: "logistic" },
    data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
    cohort: { size: 3, minimum: 3, overSelect: 1 },
    secureAggregation: "none",
    stop: { rounds: 2 },
  };
  await writeFile(file, JSON.stringify(spec));
  const created = await cli("runs", "create", file, "--json", ...at);
  expect(created.code).toBe(0);
  const { run } = created.lines[0] as { run: string };
  expect(created.lines[0]).toMatchObject({ protection: "not secure" });
  for (const args of [["list"], ["show", run]]) {
    expect((await cli("runs", ...args, ...at)).stdout).toMatch(/not secure/i);
  }
  const watching = startCli(["runs", "watch", run, "--json", ...at]);
  const joined = startCli([
    "join",
    "--json",
    ...at,
    "--run",
    run,
    "--shard",
    "1-3/4",
    "--examples",
    "400",
    "--name",
    "box",
  ]);
  // Each of the three says so itself, with a quarter of the data; the process ends when its run is over.
  const ended = await joined.finished;
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
  const devices = new Set(ended.lines.filter(({ type }) => type === "sent").map(({ device }) => device));
  expect([...devices].sort()).toEqual(["box/000001", "box/000002", "box/000003"]);
  const watched = await watching.finished;
  expect(watched.code).toBe(0);
  expect(watched.lines.filter(({ type }) => type === "round")).toHaveLength(2);
  expect(watched.lines.at(-1)).toMatchObject({ type: "run", run: { phase: "finished" } });
  const shown = await cli("runs", "show", run, "--json", ...at);
  expect(shown.lines.map((line) => line["weight"])).toEqual([undefined, 300, 300]);

  expect((await cli("models", "pull", run, "--out", folder, ...at)).code).toBe(0);
  const weights = join(folder, "weights.bin");
  const versions = (await cli("models", "list", run, "--json", ...at)).lines;
  const pushed = await cli("models", "push", weights, "--json", ...at);
  expect(pushed).toMatchObject({ code: 0, stderr: "" });
  expect(pushed.lines[0]).toEqual({ sha256: versions[2]!["sha256"], parameters: 7_850 });
  expect((await readFile(weights)).byteLength).toBe(4 * 7_850);
  const warm = JSON.stringify({ ...spec, model: { preset: "logistic", weights: pushed.lines[0]!["sha256"] } });
  const second = await startCli(["runs", "create", "-", "--no-start", "--json", ...at], { input: warm }).finished;
  expect(second.lines[0]).toMatchObject({ phase: "created", modelVersion: 0 });
  const third = await startCli(["runs", "create", "-", ...at], { input: warm.replace("logistic", "2nn") }).finished;
  expect(third).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("the model has 199210 weights, the upload 7850"),
  });

  expect((await cli("runs", "stop", run, ...at)).code).toBe(1);
  expect((await cli("join", ...at, "--run", run, "--examples", "40")).stderr).toContain(
    `run ${run} is not open on this coordinator`,
  );
  coordinator.process.kill("SIGTERM");
  expect((await coordinator.finished).code).toBe(0);
}, 120_000);

test("TLS of its own: the fingerprint lets runs and join through, another one sends nothing", async () => {
  const folder = await dataFolder();
  const coordinator = await startCoordinatorProcess(folder, "--host", "0.0.0.0", "--port", "0", "--tls", "self-signed");
  const { fingerprint, adminKey, joinToken } = coordinator.listening as unknown as Record<string, string>;
  const url = coordinator.url.replace("0.0.0.0", "127.0.0.1");
  const at = ["--coordinator", url, "--fingerprint", fingerprint!];
  const operator = [...at, "--admin-key", adminKey!];
  expect(await cli("runs", "list", "--json", ...operator)).toMatchObject({ code: 0, stdout: "" });
  const anonymous = await cli("runs", "list", ...at);
  expect(anonymous).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("the operator's admin key or a device's token"),
  });

  const wrong = fingerprint!.replace(/^../, (two) => (two === "00" ? "11" : "00"));
  for (const command of [
    ["runs", "list", "--admin-key", adminKey!],
    ["join", "--examples", "40", "--join-token", joinToken!],
  ]) {
    const refused = await cli(...command, "--coordinator", url, "--fingerprint", wrong);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("nothing was sent");
  }
  const untrusted = await cli("runs", "list", "--coordinator", url, "--admin-key", adminKey!);
  expect(untrusted).toMatchObject({ code: 1, stderr: expect.stringMatching(/--fingerprint/) });
  expect((await cli("runs", "list", ...operator.slice(0, 3), "nonsense")).code).toBe(2);

  const device = startCli(["join", "--json", "--examples", "40", ...at, "--join-token", joinToken!]);
  await device.line("connected");
  device.process.kill("SIGTERM");
  expect((await device.finished).code).toBe(0);
  const denied = await cli("join", "--examples", "40", ...at, "--join-token", "tribjoin_nonsense");
  expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining("--join-token") });
}, 120_000);
