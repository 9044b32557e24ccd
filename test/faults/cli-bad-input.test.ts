import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { RoundRecord } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import { expect, onTestFinished, test } from "vitest";
import { cli, startCli } from "../support/cli-process.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
const digits = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };

test("a coordinator that does not answer: every command says so and how to mend it, and ends with 1", async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const [list, joined] = await Promise.all([
    cli("runs", "list", "--coordinator", url),
    cli("join", "--examples", "40", "--coordinator", url),
  ]);
  expect(list).toMatchObject({ code: 1, stdout: "" });
  expect(list.stderr).toContain(`tributary: ${url} does not answer (connect ECONNREFUSED`);
  expect(list.stderr).toContain("Is the coordinator running there (tributary coordinator)?");
  expect(joined.code).toBe(1);
  expect(joined.stderr).toContain(`${url} does not answer (connect ECONNREFUSED`);
  expect(joined.stderr).toContain("check that it runs, the address and port, and any firewall between");
});

test("a number of epochs that is none is refused with what it should look like", async () => {
  for (const wrong of ["0", "5-2", "many"]) {
    const { code, stderr } = await cli("join", "--epochs-at-most", wrong);
    expect(code).toBe(2);
    expect(stderr).toContain("Expected a number of epochs, or LOW-HIGH, such as 3 or 1-20.");
  }
});

/** A port of this machine at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("something that is no coordinator is not taken for one", async () => {
  const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const { code, stderr } = await cli("runs", "list", "--coordinator", `http://127.0.0.1:${port}`);
  expect(code).toBe(1);
  expect(stderr).toContain("does not answer");
});

const idx = (magic: number, dimensions: readonly number[], values: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(4 + 4 * dimensions.length);
  head.writeUInt32BE(magic, 0);
  dimensions.forEach((size, i) => void head.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([head, values]);
};

async function mnistFolder(images: Uint8Array, labels: Uint8Array): Promise<string> {
  const folder = await dataFolder();
  await writeFile(join(folder, "train-images-idx3-ubyte"), images);
  await writeFile(join(folder, "train-labels-idx1-ubyte"), labels);
  return folder;
}

const images = (count: number, side = 28) => idx(0x803, [count, side, side], new Uint8Array(count * side * side));
const labels = (...values: number[]) => idx(0x801, [values.length], Uint8Array.from(values));

test.each<[what: string, images: Uint8Array, labels: Uint8Array, message: RegExp]>([
  ["a file of images that is cut off", images(2).subarray(0, 100), labels(1, 2), /asks for 1584: it is truncated/],
  ["a label outside the classes", images(2), labels(1, 12), /The label of image 1 is 12; expected 0 to 9/],
])("join with %s ends with 1 and names the file", async (_what, images, labels, message) => {
  const folder = await mnistFolder(images, labels);
  const { code, stderr } = await cli("join", "--data", `mnist:${folder}`, "--coordinator", coordinator.url);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).toContain(folder);
});

test("data of another shape than the run's is refused on the device, with both shapes", async () => {
  const { run } = await createRun(coordinator.url, { ...specOf(), data: digits });
  const folder = await mnistFolder(images(2, 14), labels(1, 2));
  const { code, stderr } = await cli(
    "join",
    "--data",
    `mnist:${folder}`,
    "--coordinator",
    coordinator.url,
    "--run",
    run,
  );
  expect(code).toBe(1);
  expect(stderr).toContain(
    "images of 14×14×1 with 10 classes found; the run asks for images of 28×28×1 with 10 classes",
  );
});

test("a CSV file that cannot be used is refused with line and column", async () => {
  const path = join(await dataFolder(), "table.csv");
  await writeFile(path, "a,b,y\n1,2,0\n1,x,1\n");
  const { code, stderr } = await cli("train", "--data", `csv:${path}`, "--target", "y", "--model", "logistic");
  expect(code).toBe(1);
  expect(stderr).toContain(`${path}: Line 3, column "b" is "x", not a number`);
  expect(stderr).not.toMatch(/\n {4}at /);
});

test("runs create: a malformed spec is a usage error with everything that is wrong with it", async () => {
  const at = ["--coordinator", coordinator.url];
  const create = (input: string) => startCli(["runs", "create", "-", ...at], { input }).finished;
  const notJson = await create("{");
  expect(notJson).toMatchObject({ code: 2, stderr: expect.stringMatching(/- is not JSON/) });
  const wrong = await create(JSON.stringify({ ...specOf(), round: 3, seed: -1 }));
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/round: unknown field.*seed: must be >= 0|seed: must be >= 0.*round: unknown field/s);
  const secure = await create(JSON.stringify({ ...specOf(), secureAggregation: undefined }));
  expect(secure).toMatchObject({ code: 1, stderr: expect.stringContaining('secureAggregation: "none"') });
});

test("B1: of two processes one is killed in the middle of a round; the other's update is committed", async () => {
  const { url } = coordinator;
  const spec = {
    ...specOf({ cohort: { size: 2, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } }),
    algorithm: { name: "fedavg", learningRate: 0.01, epochs: 40 },
    data: digits,
  };
  const { run } = await createRun(url, spec);
  const [doomed, left] = ["1/2", "2/2"].map((shard, i) =>
    startCli([
      "join",
      "--json",
      "--coordinator",
      url,
      "--run",
      run,
      "--examples",
      "600",
      "--shard",
      shard,
      "--name",
      `box ${i}`,
    ]),
  );
  const { client } = await doomed!.line("enrolled");
  await doomed!.line("training");
  doomed!.process.kill("SIGKILL");
  await runThat(url, run, ({ phase }) => phase === "finished");
  const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  expect(rounds).toMatchObject([
    { attempt: 1, weight: 300, dropped: [{ client, reason: "the device was not heard from for 5000 ms" }] },
  ]);
  expect((await left!.finished).code).toBe(0);
});
