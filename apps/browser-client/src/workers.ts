import type { Address } from "./address.ts";
import deviceCode from "./device/device-worker.ts?worker&url";
import trainingCode from "./training/training-worker.ts?worker&url";

const code = { device: deviceCode, training: trainingCode } as const;
export type WorkerName = keyof typeof code;

/** The workers whose files come with a policy of their own that says whom they may talk to. */
const confined = new Set<WorkerName>();

/**
 * Finds out which workers their host confines; a coordinator confines both. A worker goes by the policy that its own file
 * comes with, not by the page's: without one it could talk to anybody, whatever the page has forbidden itself.
 */
export async function findWorkerPolicies({ code: host }: Address): Promise<void> {
  const isConfined = async (url: string) => {
    if (host === "coordinator") return true;
    const response = await fetch(url, { method: "HEAD" }).catch(() => undefined);
    return /\b(connect|default)-src\b/.test(response?.headers.get("content-security-policy") ?? "");
  };
  const names: readonly WorkerName[] = ["device", "training"];
  await Promise.all(names.map(async (name) => ((await isConfined(code[name])) ? confined.add(name) : undefined)));
}

/** Starts a worker that can talk to no more than its host's policy allows, or this page's where the host has none. */
export function startWorker(name: WorkerName): Worker {
  const url = new URL(code[name], document.baseURI).href;
  if (confined.has(name)) return new Worker(url, { type: "module", name });
  // A worker that the page itself made is under the page's policy.
  const source = new Blob([`import ${JSON.stringify(url)};`], { type: "text/javascript" });
  const made = URL.createObjectURL(source);
  const worker = new Worker(made, { type: "module", name });
  worker.addEventListener("message", () => URL.revokeObjectURL(made), { once: true });
  return worker;
}
