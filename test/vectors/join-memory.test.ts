import type { Clock } from "@tributary/participant";
import { expect, test } from "vitest";
import { MemoryCap } from "../../apps/node-client/src/memory-cap.ts";

const clock: Clock = {
  now: () => 0,
  setTimeout(callback) {
    const alarm = setImmediate(callback);
    return () => clearImmediate(alarm);
  },
};
const { signal } = new AbortController();

test("a process that holds too much already does not begin", async () => {
  const cap = new MemoryCap(1e9, () => 1.2e9);
  const work = () => Promise.reject(new Error("begun"));
  await expect(cap.during(work, { clock, signal })).rejects.toThrow(
    /^this process holds 1200 MB of memory, its cap is 1000 MB; raise the cap/,
  );
});

test("work is told to end when memory passes the cap, and the reason is given once it has ended", async () => {
  let used = 0.5e9;
  const cap = new MemoryCap(1e9, () => used);
  let ended = false;
  const during = cap.during(
    async (full) => {
      used = 1.1e9;
      await new Promise((resolve) => full.addEventListener("abort", resolve, { once: true }));
      ended = true;
    },
    { clock, signal },
  );
  await expect(during).rejects.toMatchObject({ name: "MemoryCapReached" });
  expect(ended).toBe(true);
});

test("below the cap nothing happens, and the work's own failure is what is heard", async () => {
  const cap = new MemoryCap(1e9, () => 0.5e9);
  await cap.during(async () => undefined, { clock, signal });
  await expect(cap.during(() => Promise.reject(new Error("revoked")), { clock, signal })).rejects.toThrow("revoked");
});

test("a model that has no room is named with the figures before it is built", () => {
  const cap = new MemoryCap(1e9, () => 0.5e9);
  expect(cap.refusal(1_663_370)).toBeUndefined();
  expect(cap.refusal(20_000_000)).toBe(
    "training 20000000 weights takes about 800 MB; this process holds 500 MB, and its cap is 1000 MB",
  );
});
