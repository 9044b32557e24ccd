import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { Log } from "./participant-log.ts";

/** One line of `--json` output. */
export type Line = { readonly type?: string } & Record<string, unknown>;

export interface Finished {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output that are JSON. */
  readonly lines: readonly Line[];
}

/** A `tributary` process, as a user would start it: compiled, with its own flags and environment. */
export interface CliProcess {
  readonly process: ChildProcess;
  readonly lines: Log<Line>;
  /** The first JSON line that fits, now or later; rejects, with what it said, if it ends before. */
  line(type: string, fits?: (line: Line) => boolean): Promise<Line>;
  readonly finished: Promise<Finished>;
}

const launcher = fileURLToPath(new URL("../../apps/cli/bin/tributary.js", import.meta.url));

/** Starts `tributary ARGS`; killed, if need be, when the test ends. */
export function startCli(args: readonly string[], options: { cwd?: string; input?: string } = {}): CliProcess {
  const { TRIBUTARY_COORDINATOR: _, TRIBUTARY_ADMIN_KEY: __, ...environment } = process.env;
  // Without the flags of the test runner, which would have it load sources.
  const env = { ...environment, NODE_OPTIONS: "" };
  const child = spawn(process.execPath, [launcher, ...args], { cwd: options.cwd, env, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(options.input ?? "");
  const lines = new Log<Line>();
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on("line", (text) => {
    stdout += `${text}\n`;
    if (text.startsWith("{")) lines.add(JSON.parse(text) as Line);
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: (signal ?? code)!, stdout, stderr, lines: lines.entries }));
  });
  const line: CliProcess["line"] = (type, fits = () => true) => {
    const early = finished.then(({ code }) => {
      const seen = lines.entries.find((entry) => entry.type === type && fits(entry));
      if (seen !== undefined) return seen;
      throw new Error(
        `tributary ${args.join(" ")} ended with ${code} without a ${type}: ${stderr}${stdout.slice(-500)}`,
      );
    });
    return Promise.race([lines.next((entry) => entry.type === type && fits(entry)), early]);
  };
  return { process: child, lines, line, finished };
}

/** Runs `tributary ARGS` to its end. */
export function cli(...args: string[]): Promise<Finished> {
  return startCli(args).finished;
}

/** A coordinator process with its address, once it listens. */
export async function startCoordinatorProcess(
  folder: string,
  ...args: string[]
): Promise<CliProcess & { url: string; listening: Line }> {
  const started = startCli(["coordinator", "--json", "--log-level", "warn", "--data-folder", folder, ...args]);
  const listening = await started.line("listening");
  return { ...started, url: listening["url"] as string, listening };
}

/** Does something with each item, as many at a time as there are cores: a command takes a second or two of one. */
export async function atOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), items.length) }, worker));
}
