/** Writes one JSON object a line. */
export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Writes a line for people. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Writes rows in columns as wide as their widest cell. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  for (const row of all)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    );
}

/** Whether a person watches standard output. */
export function isTerminal(): boolean {
  return process.stdout.isTTY === true;
}

/** A bar of `width` cells, `share` of them full. */
export function bar(share: number, width = 20): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

/** 1234567 as `1.23 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Figures that say how far a run is, in the order of their interest; other figures follow as they come. */
const telling = ["loss", "accuracy", "rmse", "inertia", "gap", "trainingLoss"];

/** Up to three of a round's figures: what the algorithm reports, by name. */
export function metricsText(metrics: Readonly<Record<string, number>>): string {
  const rank = (name: string) => (telling.includes(name) ? telling.indexOf(name) : telling.length);
  const names = Object.keys(metrics).sort((a, b) => rank(a) - rank(b));
  const shown = names.includes("loss") ? names.filter((name) => name !== "trainingLoss") : names;
  return shown
    .slice(0, 3)
    .map((name) => `${name} ${figureText(metrics[name]!)}`)
    .join("  ");
}

/** A figure to six digits, or as many as it has. */
function figureText(value: number): string {
  return `${Number(value.toPrecision(value >= 1000 ? 8 : 5))}`;
}

/** What people are told of a run that combines updates in the clear. */
export const notSecure = "NOT SECURE: the coordinator sees each device's own update (secureAggregation: none)";
