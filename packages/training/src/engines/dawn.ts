import { registerBackend } from "@tensorflow/tfjs-core";
import { EngineMissing } from "./engine-missing.ts";
import { optionalPackage } from "./optional-package.ts";
import { settleBackend } from "./settle-backend.ts";

interface Adapter {
  readonly info: { readonly description: string; readonly isFallbackAdapter?: boolean };
  readonly limits: Record<string, number>;
  requestDevice(descriptor: object): Promise<unknown>;
}

interface Dawn {
  readonly globals: object;
  create(flags: string[]): { requestAdapter(options: object): Promise<Adapter | null> };
}

/** Dawn is its own process's WebGPU; collected, it would take its devices with it. */
let gpu: ReturnType<Dawn["create"]> | undefined;
let fallback: string | undefined;
let described: string | undefined;

/** Starts WebGPU in Node, through Dawn: on Vulkan, Metal or Direct3D 12. */
export async function startDawn(): Promise<void> {
  const { globals, create } = (await optionalPackage("webgpu", "^0.6.2")) as unknown as Dawn;
  // The backend takes its constants (GPUBufferUsage, …) from there, as in a page.
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  gpu ??= create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) {
    const linux = process.platform === "linux" ? "apt-get install libvulkan1 mesa-vulkan-drivers" : undefined;
    throw new EngineMissing("WebGPU finds no graphics adapter: no Vulkan, Metal or Direct3D 12 driver", linux);
  }
  described = adapter.info.description;
  fallback = adapter.info.isFallbackAdapter === true ? adapter.info.description : undefined;
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  const device = await adapter.requestDevice({ requiredLimits: limitsOf(adapter) });
  const backend = asInWorker({ gpu }, () => new WebGPUBackend(device as never, adapter.info as never));
  registerBackend("webgpu", () => backend, 0);
  await settleBackend("webgpu");
}

/** The backend's constructor refuses to work anywhere but in a page or a worker, though it asks nothing else of them. */
function asInWorker<Result>(navigator: object, work: () => Result): Result {
  const globals = ["navigator", "WorkerGlobalScope"] as const;
  const before = globals.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  const values = [navigator, Object];
  globals.forEach((name, i) => {
    Object.defineProperty(globalThis, name, { value: values[i], configurable: true });
  });
  try {
    return work();
  } finally {
    globals.forEach((name, i) => {
      delete (globalThis as Record<string, unknown>)[name];
      const descriptor = before[i];
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    });
  }
}

/** Why WebGPU, though it runs, is slower here than WebAssembly; undefined where it is not. Call once it has started. */
export function dawnDrawback(): string | undefined {
  return fallback === undefined ? undefined : `WebGPU has no graphics processor here, only software (${fallback})`;
}

/** The graphics processor's name. Call once it has started. */
export function dawnAdapter(): string | undefined {
  return described === "" ? undefined : described;
}

/** All that the adapter can do; a device gets no more than the least of them unless it asks. */
function limitsOf({ limits }: Adapter): Record<string, number> {
  const names = ["maxComputeWorkgroupStorageSize", "maxComputeWorkgroupsPerDimension"].concat([
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxComputeWorkgroupSizeX",
    "maxComputeInvocationsPerWorkgroup",
  ]);
  return Object.fromEntries(names.map((name) => [name, limits[name]!]));
}
