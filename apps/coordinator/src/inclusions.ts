import type { ClientId, Inclusion, ModelRecord, RoundRecord, RunId } from "@tributary/protocol";
import { contributorsTo } from "@tributary/round";
import type { Store } from "./store/store.ts";

/** By client, the last committed round that holds its contribution. */
export type Inclusions = Map<ClientId, Inclusion>;

/** The inclusions of a run whose newest model is being served: of the rounds that this model came from, and no others. */
export async function loadInclusions(store: Store, run: RunId): Promise<Inclusions> {
  const line = lineOf(await store.models(run));
  const inclusions: Inclusions = new Map();
  for (const record of await store.rounds(run)) if (line.has(record.modelVersion)) include(inclusions, record);
  return inclusions;
}

/** Notes a committed round. */
export function include(
  inclusions: Inclusions,
  record: Pick<RoundRecord, "round" | "attempt" | "survivors" | "dropped">,
): void {
  const { round, attempt } = record;
  for (const client of contributorsTo(record)) inclusions.set(client, { round, attempt });
}

/** The versions that the newest one came from: each from the one before it, or from the one that it restored. */
function lineOf(models: readonly ModelRecord[]): ReadonlySet<number> {
  const byVersion = new Map(models.map((model) => [model.version, model]));
  const line = new Set<number>();
  for (let model = models.at(-1); model !== undefined; ) {
    line.add(model.version);
    model = byVersion.get(model.restoredFrom ?? model.version - 1);
  }
  return line;
}
