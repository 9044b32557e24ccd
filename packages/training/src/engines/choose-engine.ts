import type { ModelSpec } from "@tributary/protocol";
import { checkTopology } from "../models/check-topology.ts";
import { type EngineName, engineNames, engineOf, startEngine } from "./engines.ts";

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
  } = {},
): Promise<{ engine: EngineName; reason: string }> {
  const { force, model, onStarting } = options;
  if (model !== undefined && "topology" in model) checkTopology(model.topology);
  if (force !== undefined) {
    const engine = engineNames.find((name) => name === force);
    if (engine === undefined) throw new Error(`There is no engine "${force}". Engines: ${engineNames.join(", ")}.`);
    await onStarting?.(engine);
    await startEngine(engine);
    return { engine, reason: `${engineOf(engine).what}, as asked` };
  }
  const passedOver: string[] = [];
  for (const engine of engineNames) {
    try {
      await onStarting?.(engine);
      await startEngine(engine);
    } catch (error) {
      const cause = (error as Error).cause as Error | undefined;
      passedOver.push(`${engine}: ${cause?.message ?? cause}`);
      continue;
    }
    const drawback = await engineOf(engine).drawback?.();
    if (drawback === undefined) return { engine, reason: [engineOf(engine).what, ...passedOver].join("; ") };
    passedOver.push(`${engine}: ${drawback}`);
  }
  throw new Error(`No engine runs here: ${passedOver.join("; ")}.`);
}
