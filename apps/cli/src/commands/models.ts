import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ModelRecord, ProtocolError, type RunRecord, type RunSpec, routes } from "@tributary/protocol";
import type { Command } from "commander";
import { UsageError } from "../exit.ts";
import { integer, openRest, type RemoteFlags, withRemoteFlags } from "../flags.ts";
import { bytesText, metricsText, print, printJson, printTable } from "../output.ts";

type Flags = RemoteFlags & { readonly json?: boolean };

export function addModelsCommand(program: Command): void {
  const models = program.command("models").description("A run's model versions, and weights for runs to start from.");

  withRemoteFlags(models.command("list <run>"))
    .description("Every version of a run's model.")
    .option("--json", "print one JSON object a line")
    .action(async (run: string, flags: Flags) => {
      const records = await (await openRest(flags)).get<ModelRecord[]>(routes.models(run));
      if (flags.json) for (const record of records) printJson(record);
      else {
        printTable(
          ["VERSION", "ROUND", "FIGURES", "SIZE", "SHA-256"],
          records.map(({ version, round, metrics, bytes, sha256 }) => {
            return [`${version}`, `${round}`, metricsText(metrics), bytesText(bytes), sha256];
          }),
        );
      }
    });

  withRemoteFlags(models.command("pull <run>"))
    .description(
      "Save a version as a TensorFlow.js layers model (model.json and weights.bin, for tf.loadLayersModel), or what an " +
        "algorithm without layers has learnt (state.json, and the same numbers in weights.bin, float64).",
    )
    .option("--model-version <n>", "which version; default the newest", integer(0))
    .option("--out <folder>", "where to", "model")
    .option("--json", "print what was saved as JSON")
    .action(async (run: string, flags: Flags & { modelVersion?: number; out: string }) => {
      const rest = await openRest(flags);
      const { modelVersion, spec } = await rest.get<RunRecord>(routes.run(run));
      const version = flags.modelVersion ?? modelVersion;
      const record = await rest.get<ModelRecord>(routes.model(run, version));
      const layers = (spec as RunSpec).model !== undefined;
      const description = await rest.bytes(layers ? routes.modelJson(run, version) : routes.modelState(run, version));
      const weights = await rest.bytes(routes.modelWeights(run, version));
      const found = createHash("sha256").update(weights).digest("hex");
      if (found !== record.sha256) {
        const detail = `version ${version}: the weights have SHA-256 ${found}, its record ${record.sha256}; not saved`;
        throw new ProtocolError("model_hash_mismatch", detail);
      }
      await mkdir(flags.out, { recursive: true });
      // The description last: with it there, the model is whole.
      await writeFile(join(flags.out, "weights.bin"), weights);
      await writeFile(join(flags.out, layers ? "model.json" : "state.json"), description);
      if (flags.json) printJson({ ...record, out: flags.out });
      else print(`version ${version} of round ${record.round}: ${bytesText(weights.byteLength)} in ${flags.out}`);
    });

  withRemoteFlags(models.command("rollback <run>"))
    .description("Serve an earlier version again, as a new version; nothing is deleted. Pause the run first.")
    .requiredOption("--model-version <n>", "the version to serve again", integer(0))
    .option("--json", "print the new version as JSON")
    .action(async (run: string, flags: Flags & { modelVersion: number }) => {
      const record = await (await openRest(flags)).post<ModelRecord>(routes.rollback(run), {
        version: flags.modelVersion,
      });
      if (flags.json) printJson(record);
      else print(`version ${record.version} now serves the bytes of version ${flags.modelVersion}`);
    });

  withRemoteFlags(models.command("push <weights.bin>"))
    .description("Upload weights for a RunSpec's model.weights to start from.")
    .option("--json", "print the answer as JSON")
    .action(async (file: string, flags: Flags) => {
      const bytes = await readFile(file).catch((error: Error) => {
        throw new UsageError(`cannot read ${file}: ${error.message}`);
      });
      const rest = await openRest(flags);
      const stored = await rest.upload<{ sha256: string; parameters: number }>(
        routes.uploadModel(),
        new Uint8Array(bytes),
      );
      if (flags.json) printJson(stored);
      else print(`${stored.parameters} weights; use them with "model": { …, "weights": "${stored.sha256}" }`);
    });
}
