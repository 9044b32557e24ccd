const whole = new Intl.NumberFormat("en");
const time = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

/** A share as a percentage. */
export function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}

export function count(value: number): string {
  return whole.format(value);
}

/** 1234567 as `1.23 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(2)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

export function seconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

/** 1234 as `1.23 s`, 12 as `12 ms`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return milliseconds < 120_000 ? `${seconds(milliseconds / 1000)} s` : `${(milliseconds / 60_000).toFixed(1)} min`;
}

/** An instant, in the reader's time zone. */
export function instant(at: number | Date): string {
  return time.format(at);
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
