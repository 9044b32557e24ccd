import type { Clock } from "@tributary/participant";
import { expect, test } from "vitest";
import { keepTo, parseSchedule, scheduleAt } from "../../apps/node-client/src/schedule.ts";

const night = parseSchedule("22:00-06:00");
const office = parseSchedule("09:30-17:00");
const at = (day: number, hour: number, minute = 0) => new Date(2026, 4, day, hour, minute);

test("hours may lie within a day or reach over midnight", () => {
  expect(office).toEqual({ from: 570, to: 1020 });
  expect(scheduleAt(office, at(1, 9, 29))).toEqual({ open: false, changesAt: at(1, 9, 30) });
  expect(scheduleAt(office, at(1, 9, 30))).toEqual({ open: true, changesAt: at(1, 17) });
  expect(scheduleAt(office, at(1, 17))).toEqual({ open: false, changesAt: at(2, 9, 30) });
  expect(scheduleAt(night, at(1, 22))).toEqual({ open: true, changesAt: at(2, 6) });
  expect(scheduleAt(night, at(2, 5, 59))).toEqual({ open: true, changesAt: at(2, 6) });
  expect(scheduleAt(night, at(2, 6))).toEqual({ open: false, changesAt: at(2, 22) });
});

test.each(["", "22-6", "24:00-06:00", "22:60-06:00", "8:00-9:00", "22:00-22:00", "22:00-06:00 daily"])(
  "%o is no schedule",
  (text) => {
    expect(() => parseSchedule(text)).toThrow(expect.objectContaining({ code: "bad_request" }));
  },
);

/** A clock on which every wait is over at once, and later. */
function hurry(start: Date): { clock: Clock; wallTime: () => Date } {
  let now = start.getTime();
  const clock: Clock = {
    now: () => now,
    setTimeout(callback, ms) {
      let due = true;
      setImmediate(() => {
        if (!due) return;
        now += ms;
        callback();
      });
      return () => {
        due = false;
      };
    },
  };
  return { clock, wallTime: () => new Date(now) };
}

test("work begins with the hours, is told to end with them, and begins again the next day", async () => {
  const { clock, wallTime } = hurry(at(1, 12));
  const leaving = new AbortController();
  const diary: string[] = [];
  const note = (what: string) =>
    diary.push(`${wallTime().getDate()}. ${wallTime().toTimeString().slice(0, 5)} ${what}`);
  await keepTo(night, {
    ...{ clock, wallTime, signal: leaving.signal },
    onPause: (until) => note(`pauses until ${until.getHours()}`),
    async work(signal) {
      note("joins");
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      note("leaves");
      if (wallTime().getDate() === 3) leaving.abort();
    },
  });
  expect(diary).toEqual([
    ...["1. 12:00 pauses until 22", "1. 22:00 joins", "2. 06:00 leaves"],
    ...["2. 06:00 pauses until 22", "2. 22:00 joins", "3. 06:00 leaves"],
  ]);
});

test("work that ends by itself is not begun again, and its failure is the schedule's", async () => {
  const { clock, wallTime } = hurry(at(1, 23));
  const options = { clock, wallTime, signal: new AbortController().signal, onPause: () => undefined };
  let begun = 0;
  const work = async () => {
    begun++;
  };
  await keepTo(night, { ...options, work });
  expect(begun).toBe(1);
  const fail = () => Promise.reject(new Error("revoked"));
  await expect(keepTo(night, { ...options, work: fail })).rejects.toThrow("revoked");
});

test("a device that is told to leave while it waits for its hours is done", async () => {
  const { clock, wallTime } = hurry(at(1, 12));
  const leaving = new AbortController();
  const work = () => Promise.reject(new Error("it is not night"));
  await keepTo(night, { clock, wallTime, signal: leaving.signal, work, onPause: () => leaving.abort() });
});
