import type { Command } from "commander";
import { withDataFlags } from "../data-flags.ts";
import { type DemoFlags, runDemo } from "../demo.ts";
import { integer, real } from "../flags.ts";
import { modelChoices } from "../model-flags.ts";

export function addDemoCommand(program: Command): void {
  withDataFlags(
    program
      .command("demo")
      .description("Show a whole federation on this machine: a coordinator and devices as processes of their own."),
  )
    .option("--clients <n>", "devices, one process each; under secure aggregation at least 3", integer(2, 64), 5)
    .option("--rounds <n>", "rounds of federated averaging", integer(1, 10_000), 10)
    .option("--model <preset>", modelChoices, "2nn")
    .option("--epochs <n>", "local epochs a round", integer(1), 2)
    .option("--batch-size <n>", "examples per local step", integer(1), 10)
    .option("--learning-rate <η>", "local learning rate", real(0, 1000), 0.1)
    .option("--evaluation-data <source>", "the held-out set; default: the one that belongs to --data")
    .option("--port <port>", "the coordinator's port; 0 takes a free one", integer(0, 65_535), 0)
    .option("--plain", "combine updates in the clear instead of under secure aggregation")
    .option("--once", "end when the training has, also in a terminal")
    .option("--json", "print one JSON object a line, the last with type summary")
    .addHelpText("after", "\nIn a terminal it stays up afterwards, so that the API can be looked at; Ctrl-C ends it.")
    .action(async (flags: DemoFlags, command: Command) => {
      // Two classes dominate each device's shard unless the caller says otherwise.
      const partition = command.getOptionValueSource("partition") === "default" ? "dominant:2" : flags.partition;
      await runDemo({ ...flags, partition });
    });
}
