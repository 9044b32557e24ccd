import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One JSON line of a child's standard output. */
export type Line = { readonly type?: string } & Record<string, unknown>;

/** A `tributary … --json` process of our own. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves with the first line that has this type; rejects, with what it wrote to standard error, if it ends first. */
  line(type: string): Promise<Line>;
  /** Resolves with the exit code; null after a signal. */
  readonly exited: Promise<number | null>;
  /** Rejects, with what it wrote to standard error, if it ends with anything but code 0. */
  readonly failed: Promise<never>;
  /** Asks it to stop, and kills it after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const launcher = fileURLToPath(new URL("../bin/tributary.js", import.meta.url));

/** Starts `tributary ARGS` as a process of its own; `onLine` sees every JSON line. */
export function startChild(args: readonly string[], onLine: (line: Line) => void = () => {}): Child {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const waiting: { type: string; resolve: (line: Line) => void; reject: (error: Error) => void }[] = [];
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000);
  });
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = parseLine(text);
    if (line === undefined) return;
    onLine(line);
    for (const waiter of waiting.filter(({ type }) => type === line.type)) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve(line);
    }
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const failure = (code: number | null) =>
    new Error(`tributary ${args[0]} ended with code ${code}: ${complaint.trim() || "it said nothing"}`);
  exited.then(
    (code) => {
      for (const { reject } of waiting.splice(0)) reject(failure(code));
    },
    (error: Error) => {
      for (const { reject } of waiting.splice(0)) reject(error);
    },
  );
  const failed = exited.then((code) => (code === 0 ? new Promise<never>(() => {}) : Promise.reject(failure(code))));
  // Whoever cares races against it.
  failed.catch(() => {});
  return {
    process: child,
    exited,
    failed,
    line: (type) =>
      child.exitCode === null
        ? new Promise((resolve, reject) => waiting.push({ type, resolve, reject }))
        : Promise.reject(failure(child.exitCode)),
    async stop(graceMs = 10_000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
