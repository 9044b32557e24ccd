const whole = new Intl.NumberFormat("en");

/** A metric to four digits, a dash where there is none. */
export function metric(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(4);
}

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
