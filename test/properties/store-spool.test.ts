import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ProtocolError, type RunId, type Sha256 } from "@tributary/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openSpool } from "../../apps/coordinator/src/store/spool.ts";
import { dataFolder } from "../support/data-folder.ts";
import { refusal } from "../support/refusal.ts";
import { clientNamed, run } from "../support/store-records.ts";

const step = { run, round: 3, attempt: 2, step: 0 };
const answer = { ...step, client: clientNamed(1) };

function claimOf(bytes: Uint8Array): { expectedBytes: number; digest: Sha256 } {
  return { expectedBytes: bytes.length, digest: createHash("sha256").update(bytes).digest("hex") as Sha256 };
}

async function* inChunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Every file in the spool, as paths below it. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("whatever was received is read back, however it was cut", async () => {
  const spool = await openSpool(await dataFolder());
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 2000 }), async (bytes, size) => {
      const place = { ...step, client: clientNamed(++number) };
      expect(await spool.receive(place, inChunks(bytes, size), claimOf(bytes))).toEqual({ duplicate: false });
      expect(await spool.read(place)).toEqual(bytes);
    }),
    { numRuns: 40 },
  );
});

test("a body that is not the one claimed is refused and leaves nothing", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.integer({ min: 1, max: 50 }),
      async (bytes, by) => {
        const { expectedBytes, digest } = claimOf(bytes);
        const receive = (claim: { expectedBytes: number; digest: Sha256 }) =>
          spool.receive(answer, inChunks(bytes), claim);
        expect(await refusal(receive({ expectedBytes: expectedBytes + by, digest }))).toBe("bad_update");
        expect(await refusal(receive({ expectedBytes: Math.max(0, expectedBytes - by), digest }))).toBe("bad_update");
        const other = claimOf(Uint8Array.of(...bytes, by)).digest;
        expect(await refusal(receive({ expectedBytes, digest: other }))).toBe("bad_digest");
        expect(await filesIn(folder)).toEqual([]);
      },
    ),
    { numRuns: 30 },
  );
});

test("a body that goes on for ever is left at the first byte too many, and not destroyed", async () => {
  const spool = await openSpool(await dataFolder());
  let served = 0;
  const body = new Readable({
    highWaterMark: 1000,
    read() {
      served += 1000;
      this.push(new Uint8Array(1000));
    },
  });
  const { digest } = claimOf(new Uint8Array(2500));
  expect(await refusal(spool.receive(answer, body, { expectedBytes: 2500, digest }))).toBe("bad_update");
  expect(served).toBeLessThan(10_000);
  expect(body.destroyed).toBe(false);
  body.destroy();
});

test("a body that breaks off is refused as retryable and leaves nothing", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  const bytes = new Uint8Array(2000);
  const body = (async function* () {
    yield bytes.subarray(0, 1000);
    throw new Error("ECONNRESET");
  })();
  const error = await spool.receive(answer, body, claimOf(bytes)).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "request_timeout" });
  expect((error as ProtocolError).problem().retryable).toBe(true);
  expect(await filesIn(folder)).toEqual([]);
});

test("the first complete answer stays: the same again is a duplicate, another conflicts", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  const first = new Uint8Array(5000).fill(1);
  const second = new Uint8Array(5000).fill(2);
  expect(await spool.receive(answer, inChunks(first), claimOf(first))).toEqual({ duplicate: false });
  expect(await spool.receive(answer, inChunks(first), claimOf(first))).toEqual({ duplicate: true });
  expect(await refusal(spool.receive(answer, inChunks(second), claimOf(second)))).toBe("conflicting_update");
  expect(await spool.read(answer)).toEqual(first);
  expect(await filesIn(folder)).toHaveLength(1);
});

test("of uploads of one client at once exactly one wins, however their chunks interleave", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom(1, 2), { minLength: 2, maxLength: 5 }),
      async (s, fills) => {
        const place = { ...step, client: clientNamed(++number) };
        const uploads = fills.map((fill) => {
          const bytes = new Uint8Array(3000).fill(fill);
          const body = (async function* () {
            for await (const chunk of inChunks(bytes)) yield await s.schedule(Promise.resolve(chunk), `${fill}`);
          })();
          return spool.receive(place, body, claimOf(bytes)).then(
            ({ duplicate }) => ({ fill, end: duplicate ? "duplicate" : "won" }),
            (error: ProtocolError) => ({ fill, end: error.code }),
          );
        });
        const ends = await s.waitFor(Promise.all(uploads));
        const winners = ends.filter(({ end }) => end === "won");
        expect(winners).toHaveLength(1);
        const [winner] = winners;
        expect(await spool.read(place)).toEqual(new Uint8Array(3000).fill(winner!.fill));
        for (const { fill, end } of ends.filter((end) => end !== winner)) {
          expect(end).toBe(fill === winner!.fill ? "duplicate" : "conflicting_update");
        }
        expect(await filesIn(folder)).toHaveLength(number);
      },
    ),
    { numRuns: 40 },
  );
});

test("an answer that the check refuses was never received", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  const bytes = Uint8Array.of(1, 2, 3);
  const check = (seen: Uint8Array) => {
    expect(seen).toEqual(bytes);
    throw new ProtocolError("bad_update", "frame value 0: expected a finite number");
  };
  expect(await refusal(spool.receive(answer, inChunks(bytes), { ...claimOf(bytes), check }))).toBe("bad_update");
  expect(await filesIn(folder)).toEqual([]);
  expect(await spool.receive(answer, inChunks(bytes), claimOf(bytes))).toEqual({ duplicate: false });
  expect(await spool.answered(step)).toEqual([answer.client]);
});

test("a discarded attempt is gone with all its steps, and only that attempt", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  const bytes = Uint8Array.of(7);
  const places = [answer, { ...answer, step: 1 }, { ...answer, attempt: 22 }, { ...answer, round: 32 }];
  for (const place of places) await spool.receive(place, inChunks(bytes), claimOf(bytes));
  await Promise.all([spool.discard(answer), spool.discard(answer)]);
  await spool.discard(answer);
  const left = await Promise.all(places.map((place) => spool.answered(place)));
  expect(left).toEqual([[], [], [answer.client], [answer.client]]);
  expect(await filesIn(folder)).toHaveLength(2);
});

test("an upload into an attempt that is discarded meanwhile is refused and leaves nothing", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  const bytes = new Uint8Array(2000);
  const body = (async function* () {
    yield bytes.subarray(0, 1000);
    await spool.discard(answer);
    yield bytes.subarray(1000);
  })();
  expect(await refusal(spool.receive(answer, body, claimOf(bytes)))).toBe("phase_closed");
  expect(await filesIn(folder)).toEqual([]);
});

test("opening again sweeps broken uploads and every attempt that is not kept", async () => {
  const folder = await dataFolder();
  const before = await openSpool(folder);
  const bytes = Uint8Array.of(7);
  const places = [answer, { ...answer, attempt: 1 }, { ...answer, run: "run-0000000b" as RunId }];
  for (const place of places) await before.receive(place, inChunks(bytes), claimOf(bytes));
  await writeFile(join(folder, ".tmp-of-the-dead"), "half an ans");
  const spool = await openSpool(folder, [answer]);
  expect(await spool.answered(answer)).toEqual([answer.client]);
  expect(await filesIn(folder)).toHaveLength(1);
  expect(await spool.receive(answer, inChunks(bytes), claimOf(bytes))).toEqual({ duplicate: true });
});

test("a name that would leave the spool is never part of a path", async () => {
  const folder = await dataFolder();
  const spool = await openSpool(folder);
  const bytes = Uint8Array.of(1);
  for (const name of ["..", "../../etc", "a/b", "", ".tmp-x", "a\0b"]) {
    const client = name as typeof answer.client;
    await expect(spool.receive({ ...answer, client }, inChunks(bytes), claimOf(bytes))).rejects.toThrow(
      "part of a path",
    );
    const elsewhere = { ...answer, run: name as RunId };
    await expect(spool.receive(elsewhere, inChunks(bytes), claimOf(bytes))).rejects.toThrow("part of a path");
    await expect(spool.discard(elsewhere)).rejects.toThrow("part of a path");
  }
  expect(await filesIn(folder)).toEqual([]);
});
