import { type ModelSpec, ProtocolError } from "@tributary/protocol";
import { checkTopology } from "@tributary/protocol/topology";
import { type EngineName, engineNames, engineOf, startEngine } from "./engines.ts";
import { type Parity, requireParity } from "./parity.ts";

/** An engine that runs, and why it was chosen. */
export interface ChosenEngine {
  readonly engine: EngineName;
  readonly reason: string;
  /** The graphics processor that it calculates on, where there is one and its name is told. */
  readonly adapter?: string;
  /** Its step beside plain JavaScript's, where that was asked for. */
  readonly parity?: Parity;
}

/**
 * The best engine that runs here, and why it: each of them trains every approved model. `force` is taken as it is, or an
 * `Error` says what there is. Rejects with `ProtocolError("topology_not_approved")` for a `model` that no engine builds,
 * before any is started.
 */
export async function chooseEngine(
  options: {
    force?: string | undefined;
    model?: ModelSpec | undefined;
    /** Hears of each engine just before it is started, which may mean that it is downloaded first; may have it wait. */
    onStarting?: ((engine: EngineName) => void | Promise<void>) | undefined;
    /** Refuse an engine whose step is not plain JavaScript's, with the figures. */
    proven?: boolean;
    /** Engines that stood still when they were tried; none of them is tried again. */
    stuck?: readonly EngineName[];
  } = {},
): Promise<ChosenEngine> {
  const { force, model, onStarting, proven = false, stuck = [] } = options;
  const found = async (engine: EngineName) => {
    const adapter = await engineOf(engine).adapter?.();
    const parity = proven ? await requireParity(engine) : undefined;
    return { engine, ...(adapter === undefined ? {} : { adapter }), ...(parity === undefined ? {} : { parity }) };
  };
  if (model !== undefined && "topology" in model) checkTopology(model.topology);
  if (force !== undefined) {
    const engine = engineNames.find((name) => name === force);
    if (engine === undefined) {
      const detail = `There is no engine "${force}". Engines: ${engineNames.join(", ")}.`;
      throw new ProtocolError("bad_request", detail);
    }
    await onStarting?.(engine);
    await startEngine(engine);
    return { ...(await found(engine)), reason: `${engineOf(engine).what}, as asked` };
  }
  const passedOver: string[] = [];
  for (const engine of engineNames) {
    try {
      if (stuck.includes(engine)) throw new Error("it stood still when it was started");
      await onStarting?.(engine);
      await startEngine(engine);
      const drawback = await engineOf(engine).drawback?.();
      if (drawback === undefined) {
        return { ...(await found(engine)), reason: [engineOf(engine).what, ...passedOver].join("; ") };
      }
      passedOver.push(`${engine}: ${drawback}`);
    } catch (error) {
      const { cause, message } = error as Error;
      passedOver.push(`${engine}: ${cause instanceof Error ? cause.message : (cause ?? message)}`);
    }
  }
  throw new Error(`No engine runs here: ${passedOver.join("; ")}.`);
}
