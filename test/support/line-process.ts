import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A Node process from a script in this folder; killed, if need be, when the test ends. */
export interface LineProcess {
  readonly pid: number;
  /** Every line it has printed so far. */
  readonly lines: readonly string[];
  /** Resolves once some line satisfies the condition; rejects if the process ends before. */
  printed(condition: (line: string) => boolean): Promise<string>;
  /** Resolves when the process is gone and all its output was read: the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
}

export function lineProcess(script: string, ...args: string[]): LineProcess {
  const child = longLineProcess(script, ...args);
  onTestFinished(() => child.kill("SIGKILL"));
  return child;
}

/** The same, for whoever ends it by another rule. */
export function longLineProcess(script: string, ...args: string[]): LineProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(line));
  const ended = once(child, "close").then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  return {
    pid: child.pid!,
    lines,
    ended,
    kill: (signal) => void child.kill(signal),
    printed: (condition) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(condition);
          if (found !== undefined) resolve(found);
        };
        reader.on("line", look);
        look();
        void ended.then((end) => reject(new Error(`${script} ended with ${end} after ${lines.length} lines`)));
      }),
  };
}
