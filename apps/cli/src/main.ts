import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addClientsCommand } from "./commands/clients.ts";
import { addCoordinatorCommand } from "./commands/coordinator.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addJoinCommand } from "./commands/join.ts";
import { addModelsCommand } from "./commands/models.ts";
import { addRosterCommand } from "./commands/roster.ts";
import { addRunsCommand } from "./commands/runs.ts";
import { addSimulateCommand } from "./commands/simulate.ts";
import { addTrainCommand } from "./commands/train.ts";
import { exitCodes, explainFailure } from "./exit.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("tributary")
  .description("Federated learning: devices train together on data that stays with each of them.")
  .version(version)
  .showHelpAfterError("(tributary --help shows every command; tributary COMMAND --help its flags)")
  .configureHelp({ sortSubcommands: false })
  .exitOverride();

addCoordinatorCommand(program);
addJoinCommand(program);
addDemoCommand(program);
addRunsCommand(program);
addModelsCommand(program);
addClientsCommand(program);
addRosterCommand(program);
addSimulateCommand(program);
addTrainCommand(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  } else {
    const { code, message } = explainFailure(error);
    process.stderr.write(`tributary: ${message}\n`);
    process.exitCode = code;
  }
  // Sockets and workers of a command that failed half-way must not keep the process alive.
  process.exit();
}
