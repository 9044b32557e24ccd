import { type CoordinatorOptions, startCoordinator } from "@tributary/coordinator";
import { type Command, Option } from "commander";
import { UsageError } from "../exit.ts";
import { defaultPort, integer, originList } from "../flags.ts";
import { print, printJson } from "../output.ts";
import { untilSignalled } from "../signals.ts";

interface Flags {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly roster?: string;
  readonly evaluationData: readonly string[];
  readonly allowOrigin: readonly string[];
  readonly logLevel: NonNullable<CoordinatorOptions["logLevel"]>;
  readonly logFile?: string;
  readonly json?: boolean;
}

export function addCoordinatorCommand(program: Command): void {
  program
    .command("coordinator")
    .description("Run the coordinator: it keeps runs and models, asks devices, and combines their updates.")
    .addOption(
      new Option("--data-folder <folder>", "where everything is kept").env("TRIBUTARY_DATA").default("tributary-data"),
    )
    .option("--host <address>", "address to listen on; off loopback TLS is needed", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 takes a free one", integer(0, 65_535), defaultPort)
    .addOption(
      new Option("--tls <how>", "make a certificate of its own and print its fingerprint").choices(["self-signed"]),
    )
    .option("--tls-cert <file>", "the certificate (PEM) to serve with")
    .option("--tls-key <file>", "the certificate's private key (PEM)")
    .option("--insecure", "off loopback: no TLS, no admin key, no join token; anyone who reaches it may do anything")
    .option("--roster <file>", "enrol only the devices on this roster (tributary roster sign)")
    .option(
      "--evaluation-data <[name=]source>",
      "a set to judge models on (digits-test, mnist-test:DIR, …), for specs with evaluation.on: coordinator; repeatable",
      (text: string, before: readonly string[]) => [...before, text],
      [],
    )
    .option("--allow-origin <origin>", "an origin whose pages may talk to it; repeatable", originList, [])
    .addOption(
      new Option("--log-level <level>", "least severe log line to write")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .option("--log-file <file>", "write the log there instead of to standard error")
    .option("--json", "print one JSON object a line")
    .addHelpText(
      "after",
      "\nStops cleanly at SIGINT or SIGTERM; after a kill it goes on from the last committed round.",
    )
    .action(async (flags: Flags & { dataFolder: string }) => {
      const coordinator = await startCoordinator(optionsFrom(flags));
      const { url, fingerprint, coordinatorKey, operatorKey, minted } = coordinator;
      const keys = { coordinatorKey, operatorKey };
      if (flags.json) printJson({ type: "listening", url, fingerprint, ...keys, ...minted, pid: process.pid });
      else {
        print(`Tributary's coordinator listens on ${url}`);
        if (fingerprint !== undefined) print(`certificate fingerprint (SHA-256): ${fingerprint}`);
        print(`coordinator key: ${coordinatorKey}   (devices may pin it: --coordinator-key)`);
        if (operatorKey !== undefined) {
          print(
            `operator key of the roster: ${operatorKey}   (devices should pin it, told by the operator: --operator-key)`,
          );
        }
        if (minted !== undefined) {
          print("These two are shown once; only their hashes are kept:");
          print(`  admin key  ${minted.adminKey}   (operators: --admin-key or TRIBUTARY_ADMIN_KEY)`);
          print(`  join token ${minted.joinToken}   (devices: --join-token or TRIBUTARY_JOIN_TOKEN)`);
        }
      }
      await untilSignalled();
      await coordinator.close();
    });
}

function optionsFrom(flags: Flags & { dataFolder: string }): CoordinatorOptions {
  const { tlsCert, tlsKey, tls } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError("--tls-cert and --tls-key go together");
  if (tls !== undefined && tlsCert !== undefined) throw new UsageError("give either --tls self-signed or --tls-cert");
  const files = tlsCert === undefined || tlsKey === undefined ? undefined : { certFile: tlsCert, keyFile: tlsKey };
  const how = files ?? (tls === "self-signed" ? tls : undefined);
  return {
    dataFolder: flags.dataFolder,
    host: flags.host,
    port: flags.port,
    ...(how === undefined ? {} : { tls: how }),
    insecure: flags.insecure ?? false,
    ...(flags.roster === undefined ? {} : { rosterFile: flags.roster }),
    evaluationData: Object.fromEntries(flags.evaluationData.map(namedSource)),
    allowedOrigins: flags.allowOrigin,
    logLevel: flags.logLevel,
    ...(flags.logFile === undefined ? {} : { logTo: flags.logFile }),
  };
}

/** `name=source`, or a source alone, which is called `default`. */
function namedSource(text: string): [string, string] {
  const named = /^([A-Za-z0-9_-]+)=(.+)$/.exec(text);
  return named === null ? ["default", text] : [named[1]!, named[2]!];
}
