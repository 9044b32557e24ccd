import type { Metrics, ModelRecord, RunId, Sha256 } from "@tributary/protocol";
import type { Kysely, Selectable } from "kysely";
import type { Tables } from "./tables.ts";

export async function insertModel(tables: Kysely<Tables>, model: ModelRecord, checkpoint: Sha256): Promise<void> {
  await tables
    .insertInto("models")
    .values({
      run: model.run,
      version: model.version,
      round: model.round,
      sha256: model.sha256,
      bytes: model.bytes,
      parameters: model.parameters,
      metrics: JSON.stringify(model.metrics),
      checkpoint,
      created_at: model.createdAt,
      restored_from: model.restoredFrom ?? null,
    })
    .execute();
}

/** Adds metrics to a model's; a name it has already gets the new value. */
export async function addModelMetrics(
  tables: Kysely<Tables>,
  model: ModelRecord | undefined,
  metrics: Metrics,
): Promise<void> {
  if (!model) throw new Error("a committed round has no model");
  await tables
    .updateTable("models")
    .set({ metrics: JSON.stringify({ ...model.metrics, ...metrics }) })
    .where("run", "=", model.run)
    .where("version", "=", model.version)
    .execute();
}

export async function findModel(
  tables: Kysely<Tables>,
  run: RunId,
  version: number,
): Promise<{ model: ModelRecord; checkpoint: Sha256 } | undefined> {
  const query = tables.selectFrom("models").selectAll().where("run", "=", run).where("version", "=", version);
  const row = await query.executeTakeFirst();
  return row && { model: modelRecord(row), checkpoint: row.checkpoint as Sha256 };
}

export async function allModels(tables: Kysely<Tables>, run: RunId): Promise<ModelRecord[]> {
  const rows = await tables.selectFrom("models").selectAll().where("run", "=", run).orderBy("version").execute();
  return rows.map(modelRecord);
}

function modelRecord(row: Selectable<Tables["models"]>): ModelRecord {
  return {
    run: row.run as RunId,
    version: row.version,
    round: row.round,
    sha256: row.sha256 as Sha256,
    bytes: row.bytes,
    parameters: row.parameters,
    metrics: JSON.parse(row.metrics) as Metrics,
    createdAt: row.created_at,
    ...(row.restored_from === null ? {} : { restoredFrom: row.restored_from }),
  };
}
