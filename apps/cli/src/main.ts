import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
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

/** Each command's module, loaded only where it is called for: the engines alone take longer than most commands. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  coordinator: async () => (await import("./commands/coordinator.ts")).addCoordinatorCommand,
  join: async () => (await import("./commands/join.ts")).addJoinCommand,
  demo: async () => (await import("./commands/demo.ts")).addDemoCommand,
  runs: async () => (await import("./commands/runs.ts")).addRunsCommand,
  models: async () => (await import("./commands/models.ts")).addModelsCommand,
  clients: async () => (await import("./commands/clients.ts")).addClientsCommand,
  roster: async () => (await import("./commands/roster.ts")).addRosterCommand,
  simulate: async () => (await import("./commands/simulate.ts")).addSimulateCommand,
  train: async () => (await import("./commands/train.ts")).addTrainCommand,
  doctor: async () => (await import("./commands/doctor.ts")).addDoctorCommand,
};
const named = commands[process.argv[2] ?? ""];
for (const load of named === undefined ? Object.values(commands) : [named]) (await load())(program);

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
