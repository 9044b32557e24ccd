import type { DataSpec } from "@tributary/protocol";
import type { Topology } from "@tributary/protocol/topology";
import type { TrainableModel } from "../trainable-model.ts";
import { EngineMissing } from "./engine-missing.ts";

/** One way to do the arithmetic. */
interface Engine {
  /** The backend's name in TensorFlow.js. */
  readonly backend: string;
  readonly what: string;
  /** What it needs beside its package, where that is not there. */
  readonly needs?: string;
  /** Starts the backend; afterwards it can be switched to at once. Rejects with the reason where it cannot run here. */
  start(): Promise<void>;
  /** Why a started engine is not taken unless it is asked for; undefined where it may be. */
  drawback?(): Promise<string | undefined>;
  /** The graphics processor that a started engine calculates on, as its driver names it; undefined where that is not said. */
  adapter?(): Promise<string | undefined>;
  /** Multiply-adds, forward, that one uninterrupted stretch of work may take: some 30 ms of training. */
  readonly multiplyAddsAtATime: number;
  /** Builds a model that needs nothing of the backend, where the engine has a way of its own for its layers. */
  direct?(topology: Topology, data: DataSpec): Promise<TrainableModel | undefined>;
  /** Not even looked for on the other platform. */
  readonly only?: "browser" | "node";
}

const inBrowser = "document" in globalThis || "WorkerGlobalScope" in globalThis;

const bindings = "Node 20 or older, for which it has prebuilt bindings";
const nvidia =
  "an NVIDIA graphics processor with CUDA 11.2 and cuDNN 8.1 " +
  "(apt-get install cuda-toolkit-11-2 libcudnn8=8.1.1.33-1+cuda11.2, from NVIDIA's repository)";
const graphics =
  "a driver for Vulkan (Linux: apt-get install libvulkan1 mesa-vulkan-drivers), Metal or Direct3D 12 and a graphics processor";

/** The engines there are, best first. A further one is a row here and a file beside this one. */
const table = {
  "tensorflow-gpu": {
    backend: "tensorflow",
    what: "TensorFlow on CUDA",
    needs: `${nvidia}; ${bindings}`,
    start: async () => (await import("./tensorflow.ts")).startTensorFlowOnGpu(),
    multiplyAddsAtATime: 2e9,
    only: "node",
  },
  tensorflow: {
    backend: "tensorflow",
    what: "TensorFlow's own library",
    needs: bindings,
    start: async () => (await import("./tensorflow.ts")).startTensorFlow(),
    multiplyAddsAtATime: 2e8,
    only: "node",
  },
  webgpu: {
    backend: "webgpu",
    what: "TensorFlow.js on WebGPU",
    ...(inBrowser ? {} : { needs: graphics }),
    start: async () =>
      inBrowser ? (await import("./webgpu.ts")).startWebGpu() : (await import("./dawn.ts")).startDawn(),
    drawback: async () => (inBrowser ? undefined : (await import("./dawn.ts")).dawnDrawback()),
    adapter: async () =>
      inBrowser ? (await import("./webgpu.ts")).webGpuAdapter() : (await import("./dawn.ts")).dawnAdapter(),
    multiplyAddsAtATime: 1e9,
  },
  webgl: {
    backend: "webgl",
    what: "TensorFlow.js on WebGL",
    start: async () => (await import("./webgl.ts")).startWebGl(),
    adapter: async () => (await import("./webgl.ts")).webGlAdapter(),
    multiplyAddsAtATime: 2e8,
    only: "browser",
  },
  wasm: {
    backend: "wasm",
    what: "WebAssembly",
    start: async () => (await import("./wasm.ts")).startWasm(),
    direct: async (topology, data) => (await import("../kernels/open-direct-model.ts")).openDirectModel(topology, data),
    multiplyAddsAtATime: 1.5e8,
  },
  cpu: {
    backend: "cpu",
    what: "TensorFlow.js in plain JavaScript",
    start: async () => {
      await import("@tensorflow/tfjs-backend-cpu");
    },
    multiplyAddsAtATime: 2e6,
  },
} as const satisfies Record<string, Engine>;

export type EngineName = keyof typeof table;

/** The row of an engine. */
export const engineOf = (name: EngineName): Engine => table[name];

/** The engines that this platform may have, best first. */
export const engineNames = (Object.keys(table) as EngineName[]).filter((name) => {
  const { only } = engineOf(name);
  return only === undefined || (only === "browser") === inBrowser;
});

const started = new Map<EngineName, Promise<void>>();

/** Starts an engine once per process; rejects with `EngineMissing`, naming the engine, where it cannot run. */
export function startEngine(name: EngineName): Promise<void> {
  let start = started.get(name);
  if (start === undefined) {
    start = engineOf(name).start();
    started.set(name, start);
  }
  return start.catch((cause: unknown) => {
    const why = (cause as Error)?.message ?? String(cause);
    const command = cause instanceof EngineMissing ? cause.command : undefined;
    const mend = command === undefined ? "" : ` To add it: ${command}.`;
    const what = `The engine "${name}" (${engineOf(name).what}) cannot run here: ${why}.${mend}`;
    throw new EngineMissing(`${what} Engines: ${engineNames.join(", ")}.`, command, { cause });
  });
}
