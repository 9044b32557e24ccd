const whole = new Intl.NumberFormat("en");
// Times as the reader writes them.
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** A share as a percentage. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** To three digits, as far as there are that many before the point. */
function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

export function count(value: number): string {
  return whole.format(value);
}

/** 1234567 as `1.23 MB`. */
export function bytes(value: number): string {
  if (value < 999.5) return `${Math.round(value)} B`;
  if (value < 999_500) return `${threeDigits(value / 1e3)} kB`;
  return value < 999.5e6 ? `${threeDigits(value / 1e6)} MB` : `${threeDigits(value / 1e9)} GB`;
}

/** 1.234 as `1.23 s`. */
export function seconds(value: number): string {
  return duration(1000 * value);
}

/** 1234 as `1.23 s`, 12 as `12 ms`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${threeDigits(milliseconds / 1000)} s`;
  const minutes = milliseconds / 60_000;
  return minutes < 120 ? `${threeDigits(minutes)} min` : `${threeDigits(minutes / 60)} h`;
}

/** How long is left, to the second: what counts down needs no more. */
export function remaining(milliseconds: number): string {
  return milliseconds < 120_000 ? `${Math.ceil(milliseconds / 1000)} s` : duration(milliseconds);
}

/** An instant, in the reader's time zone. */
export function instant(at: number | Date): string {
  return time.format(at);
}

/** The same to the second, with its day and its time zone. */
export function exactInstant(at: number | Date): string {
  return exact.format(at);
}

export function clockTime(at: Date): string {
  return clock.format(at);
}

/** How long ago an instant was, roughly. */
export function ago(at: number, now: number): string {
  const spent = Math.max(0, Math.round((now - at) / 1000));
  if (spent < 60) return "just now";
  if (spent < 3600) return `${Math.floor(spent / 60)} min ago`;
  return spent < 86_400 ? `${Math.floor(spent / 3600)} h ago` : `${Math.floor(spent / 86_400)} days ago`;
}

/** The part of an id that tells it from others at a glance. */
export function shortId(id: string): string {
  return id.replace(/^(client|run)-/, "").slice(0, 8);
}
