import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { layerClasses } from "../models/layer-classes.ts";
import type { Topology } from "../models/topology.ts";
import type { TrainableModel } from "../trainable-model.ts";

/** One way to do the arithmetic. */
interface Engine {
  /** The backend's name in TensorFlow.js. */
  readonly backend: string;
  readonly what: string;
  /** Starts the backend; afterwards it can be switched to at once. Rejects with the reason where it cannot run here. */
  start(): Promise<void>;
  /** Layer classes whose gradients the backend lacks. */
  readonly untrainable: readonly string[];
  /** Multiply-adds, forward, that one uninterrupted stretch of work may take: some 30 ms of training. */
  readonly multiplyAddsAtATime: number;
  /** Builds a model that needs nothing of the backend, where the engine has a way of its own for its layers. */
  readonly direct?: (topology: Topology, data: DataSpec) => Promise<TrainableModel | undefined>;
  /** Not even looked for where there is neither a page nor a worker of one. */
  readonly browserOnly?: boolean;
}

/** The engines there are, best first. A further one is a row here and a file beside this one. */
const table = {
  webgpu: {
    backend: "webgpu",
    what: "TensorFlow.js on WebGPU",
    start: async () => (await import("./webgpu.ts")).startWebGpu(),
    untrainable: [],
    multiplyAddsAtATime: 1e9,
    browserOnly: true,
  },
  webgl: {
    backend: "webgl",
    what: "TensorFlow.js on WebGL",
    start: async () => (await import("./webgl.ts")).startWebGl(),
    untrainable: [],
    multiplyAddsAtATime: 2e8,
    browserOnly: true,
  },
  wasm: {
    backend: "wasm",
    what: "TensorFlow.js on WebAssembly",
    start: async () => (await import("./wasm.ts")).startWasm(),
    direct: async (topology, data) => (await import("../kernels/open-direct-model.ts")).openDirectModel(topology, data),
    untrainable: [],
    multiplyAddsAtATime: 2e7,
  },
  cpu: {
    backend: "cpu",
    what: "TensorFlow.js in plain JavaScript",
    start: async () => {
      await import("@tensorflow/tfjs-backend-cpu");
    },
    untrainable: [],
    multiplyAddsAtATime: 2e6,
  },
} as const satisfies Record<string, Engine>;

export type EngineName = keyof typeof table;

/** The row of an engine. */
export const engineOf = (name: EngineName): Engine => table[name];

const inBrowser = "document" in globalThis || "WorkerGlobalScope" in globalThis;

/** The engines that this platform may have, best first. */
export const engineNames = (Object.keys(table) as EngineName[]).filter(
  (name) => inBrowser || engineOf(name).browserOnly !== true,
);

const started = new Map<EngineName, Promise<void>>();

/** Starts an engine once per process; rejects, naming the engine, where it cannot run. */
export function startEngine(name: EngineName): Promise<void> {
  let start = started.get(name);
  if (start === undefined) {
    start = engineOf(name).start();
    started.set(name, start);
  }
  return start.catch((cause: unknown) => {
    throw new Error(
      `The engine "${name}" (${engineOf(name).what}) cannot run here: ${(cause as Error)?.message ?? cause}. ` +
        `Engines: ${engineNames.join(", ")}.`,
      { cause },
    );
  });
}

/**
 * The best engine that runs here and can train `model`, and why it. `force` is taken as it is, or an `Error` says what
 * there is.
 */
export async function chooseEngine(
  options: {
    force?: string | undefined;
    model?: ModelSpec | undefined;
    /** Hears of each engine just before it is started, which may mean that it is downloaded first; may have it wait. */
    onStarting?: ((engine: EngineName) => void | Promise<void>) | undefined;
  } = {},
): Promise<{ engine: EngineName; reason: string }> {
  const { force, model, onStarting } = options;
  const layers = model === undefined ? [] : layerClasses(model);
  const lacking = (name: EngineName) => layers.find((layer) => engineOf(name).untrainable.includes(layer));
  if (force !== undefined) {
    const engine = engineNames.find((name) => name === force);
    if (engine === undefined) throw new Error(`There is no engine "${force}". Engines: ${engineNames.join(", ")}.`);
    const missing = lacking(engine);
    if (missing !== undefined) {
      throw new Error(`The engine "${engine}" cannot train ${missing} layers. Engines: ${engineNames.join(", ")}.`);
    }
    await onStarting?.(engine);
    await startEngine(engine);
    return { engine, reason: `${engineOf(engine).what}, as asked` };
  }
  const passedOver: string[] = [];
  for (const engine of engineNames) {
    const missing = lacking(engine);
    if (missing !== undefined) {
      passedOver.push(`${engine} cannot train ${missing} layers`);
      continue;
    }
    try {
      await onStarting?.(engine);
      await startEngine(engine);
      return { engine, reason: [engineOf(engine).what, ...passedOver].join("; ") };
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error };
      passedOver.push(`${engine} cannot run here: ${cause?.message ?? message}`);
    }
  }
  throw new Error(`No engine can train this model here: ${passedOver.join("; ")}.`);
}
