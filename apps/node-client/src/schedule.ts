import { type Clock, sleep } from "@tributary/participant";
import { ProtocolError } from "@tributary/protocol";

/** The hours of each day, in local time, in which a device takes part: minutes after midnight; `to` may be the next day's. */
export interface Schedule {
  readonly from: number;
  readonly to: number;
}

/** `22:00-06:00`. Throws `bad_request` for anything else, and for hours that never begin or never end. */
export function parseSchedule(text: string): Schedule {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  const [from, to] = parts === null ? [0, 0] : [60 * +parts[1]! + +parts[2]!, 60 * +parts[3]! + +parts[4]!];
  if (from === to) {
    throw new ProtocolError(
      "bad_request",
      `schedule: expected two different times such as 22:00-06:00, found "${text}"`,
    );
  }
  return { from, to };
}

/** Whether `time` is within the schedule's hours, and when that changes next. */
export function scheduleAt({ from, to }: Schedule, time: Date): { open: boolean; changesAt: Date } {
  const minute = 60 * time.getHours() + time.getMinutes();
  const open = from < to ? from <= minute && minute < to : from <= minute || minute < to;
  const end = open ? to : from;
  // By the calendar, so that a day of 23 or 25 hours ends when the clock on the wall says so.
  const changesAt = new Date(time);
  changesAt.setHours(0, end, 0, 0);
  if (end <= minute) {
    changesAt.setDate(changesAt.getDate() + 1);
    changesAt.setHours(0, end, 0, 0);
  }
  return { open, changesAt };
}

/** The wall clock is looked at this often: it may be set, and a machine may sleep through any wait. */
const lookMs = 30_000;

/**
 * Does `work` within the schedule's hours, again each day, until it ends by itself or `signal` comes. When the hours are
 * over `work`'s signal tells it to end. `onPause` hears when the next hours begin.
 */
export async function keepTo(
  schedule: Schedule,
  options: {
    wallTime: () => Date;
    clock: Clock;
    signal: AbortSignal;
    work: (signal: AbortSignal) => Promise<void>;
    onPause: (until: Date) => void;
  },
): Promise<void> {
  const { wallTime, clock, signal, work, onPause } = options;
  const until = async (wanted: "open" | "closed", ended: AbortSignal) => {
    while (!ended.aborted) {
      const now = wallTime();
      const { open, changesAt } = scheduleAt(schedule, now);
      if (open === (wanted === "open")) return;
      const waitMs = Math.min(lookMs, changesAt.getTime() - now.getTime());
      await sleep(clock, waitMs, ended).catch(() => undefined);
    }
  };
  while (!signal.aborted) {
    const { open, changesAt } = scheduleAt(schedule, wallTime());
    if (!open) {
      onPause(changesAt);
      await until("open", signal);
      continue;
    }
    const closing = new AbortController();
    const over = new AbortController();
    const closed = until("closed", AbortSignal.any([signal, over.signal])).then(() => {
      if (!over.signal.aborted) closing.abort(new Error("the schedule's hours are over"));
    });
    try {
      await work(AbortSignal.any([signal, closing.signal]));
    } finally {
      over.abort();
      await closed;
    }
    if (!closing.signal.aborted) return;
  }
}
