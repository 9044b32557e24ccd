import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LedgerEntry } from "@tributary/participant";
import { isOver } from "@tributary/protocol";
import { expect, test } from "vitest";
import { canariesIn, numberCanary, textCanary } from "../support/canary.ts";
import { createRun, runThat } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { lineProcess } from "../support/line-process.ts";
import { type Captured, recordingProxy } from "../support/recording-proxy.ts";
import { specOf } from "../support/specs.ts";

const float32 = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
/** Values that nothing else in a run looks like. */
const planted = {
  income: [float32(0x42cafe17), float32(0x3fc0ffee), float32(0xc1d00d1e)],
  town: ["Zwiebelfeld-am-Kanarienweg", "Kanarienvogel über Quux", "plain"],
};
const canaries = [...planted.income.map(numberCanary), ...planted.town.slice(0, 2).map(textCanary)];

function tableWithCanaries(): string {
  const rows = Array.from({ length: 30 }, (_, row) => {
    return `${planted.income[row % 3]},${planted.town[row % 3]},${row % 2 === 0 ? "yes" : "no"}`;
  });
  return `income,town,bought\n${rows.join("\n")}\n`;
}

/** Two rounds, each trained and judged by one `tributary join` process behind a recording proxy. */
async function federate(): Promise<{ captured: readonly Captured[]; payloadBytes: number; ledger: LedgerEntry[] }> {
  const folder = await dataFolder();
  await writeFile(join(folder, "table.csv"), tableWithCanaries());
  const { url } = await localCoordinator();
  const spec = specOf({
    data: { kind: "table", shape: [4], target: "class", classes: 2 },
    cohort: { size: 1, minimum: 1, overSelect: 1 },
    evaluation: { on: "clients" },
    stop: { rounds: 2 },
  });
  const { run } = await createRun(url, spec);
  const proxy = await recordingProxy(url);
  const ledgerFile = join(folder, "ledger.jsonl");
  const device = lineProcess(
    "../../apps/cli/bin/tributary.js",
    ...["join", "--json", "--coordinator", proxy.url, "--run", run, "--engine", "cpu"],
    ...["--data", `csv:${join(folder, "table.csv")}`, "--target", "bought", "--categorical", "town"],
    ...["--ledger", ledgerFile],
  );
  expect(await device.ended).toBe(0);
  await runThat(url, run, ({ phase }) => isOver(phase));
  const lines = (await readFile(ledgerFile, "utf8")).trim().split("\n");
  const ledger = lines.map((line) => JSON.parse(line) as LedgerEntry);
  return { captured: proxy.captured, payloadBytes: proxy.payloadBytes(), ledger };
}

test("nothing of a device's data leaves it, and its ledger names every byte that does", async () => {
  const { captured, payloadBytes, ledger } = await federate();

  expect(canariesIn(captured, canaries)).toEqual([]);

  expect(ledger.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(payloadBytes);
  const hashes = (all: readonly string[]) => [...all].sort();
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  expect(hashes(ledger.map((entry) => entry.sha256))).toEqual(
    hashes(captured.map((one) => sha256(one.kind === "frame" ? one.payload : one.body))),
  );
  const requested = captured.flatMap((one) => (one.kind === "request" ? [`${one.method} ${one.path}`] : []));
  const destinations = ledger.map(({ destination }) => destination);
  for (const request of requested) {
    const [method, path] = request.split(" ") as [string, string];
    const socket = path.startsWith("/socket.io");
    expect(
      destinations.some((to) => (socket ? to.endsWith("/socket.io") : to.startsWith(method) && to.endsWith(path))),
    ).toBe(true);
  }

  const answers = ledger.filter(({ kind }) => kind === "update" || kind === "judgement");
  expect(answers.map(({ kind, round }) => `${kind} ${round}`)).toEqual([
    ...["update 1", "judgement 1", "update 2", "judgement 2"],
  ]);
  expect(new Set(ledger.map(({ protection }) => protection))).toEqual(new Set(["none"]));
  const kinds = new Set(ledger.map(({ kind }) => kind));
  for (const kind of ["enrolment", "request", "connect", "offer", "progress"]) expect(kinds).toContain(kind);
});

test("the search finds a canary however it was written", async () => {
  const number = float32(0x42cafe17);
  const bytes = Buffer.from(Float32Array.of(number).buffer);
  const big = Buffer.from(Float64Array.of(number).buffer).reverse();
  const text = planted.town[0]!;
  const leaks: Record<string, Uint8Array> = {
    decimal: Buffer.from(JSON.stringify({ income: number })),
    "float32, little-endian": Buffer.concat([Buffer.from("xyz"), bytes]),
    "float64, big-endian": Buffer.concat([Buffer.from("x"), big]),
    "base64 after 0 bytes": Buffer.from(bytes.toString("base64")),
    "base64 after 1 bytes": Buffer.from(Buffer.concat([Buffer.from("a"), bytes, Buffer.from("b")]).toString("base64")),
    "base64 after 2 bytes": Buffer.from(Buffer.concat([Buffer.from("ab"), bytes]).toString("base64")),
    hexadecimal: Buffer.from(bytes.toString("hex")),
    "UTF-8": Buffer.from(`…${text}…`),
    "UTF-8, base64 after 1 bytes": Buffer.from(Buffer.from(`?${text}!`).toString("base64")),
  };
  for (const [how, payload] of Object.entries(leaks)) {
    const found = canariesIn([{ kind: "frame", payload }], [numberCanary(number), textCanary(text)]);
    expect(found.join(), how).toContain(how);
  }
  const path = `/v1/state?town=${encodeURIComponent(planted.town[1]!)}`;
  const request = { kind: "request", method: "GET", path, headers: {}, body: new Uint8Array() } as const;
  expect(canariesIn([request], [textCanary(planted.town[1]!)])).toHaveLength(1);
});
