import { readFile, writeFile } from "node:fs/promises";
import { type ModelRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Command } from "commander";
import { UsageError } from "../exit.ts";
import { integer, openRest, type RemoteFlags, withRemoteFlags } from "../flags.ts";
import { bytesText, metricText, print, printJson, printTable } from "../output.ts";

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
          ["VERSION", "ROUND", "LOSS", "ACCURACY", "SIZE", "SHA-256"],
          records.map(({ version, round, metrics, bytes, sha256 }) => {
            const figures = [metricText(metrics["loss"]), metricText(metrics["accuracy"])];
            return [`${version}`, `${round}`, ...figures, bytesText(bytes), sha256];
          }),
        );
      }
    });

  withRemoteFlags(models.command("pull <run>"))
    .description("Save a version's weights (float32, little-endian, in layer order).")
    .option("--model-version <n>", "which version; default the newest", integer(0))
    .option("--out <file>", "where to", "weights.bin")
    .action(async (run: string, flags: Flags & { modelVersion?: number; out: string }) => {
      const rest = await openRest(flags);
      const version = flags.modelVersion ?? (await rest.get<RunRecord>(routes.run(run))).modelVersion;
      const bytes = await rest.bytes(routes.modelWeights(run, version));
      await writeFile(flags.out, bytes);
      print(`version ${version}: ${bytesText(bytes.byteLength)} in ${flags.out}`);
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
