import { type ClientRecord, routes } from "@tributary/protocol";
import type { Command } from "commander";
import { openRest, type RemoteFlags, withRemoteFlags } from "../flags.ts";
import { print, printJson, printTable } from "../output.ts";

type Flags = RemoteFlags & { readonly json?: boolean };

export function addClientsCommand(program: Command): void {
  const clients = program.command("clients").description("The devices of a coordinator.");

  withRemoteFlags(clients.command("list"))
    .description("Every device ever enrolled, oldest first.")
    .option("--json", "print one JSON object a line")
    .action(async (flags: Flags) => {
      const records = await (await openRest(flags)).get<ClientRecord[]>(routes.clients());
      if (flags.json) for (const record of records) printJson(record);
      else {
        printTable(
          ["CLIENT", "NAME", "ENGINE", "RUNS ON", "TAGS", "ROUNDS", "STATE"],
          records.map(({ client, name, engine, capabilities, tags, contributions, connected, revoked }) => {
            const state = revoked ? "revoked" : connected ? "connected" : "away";
            return [client, name, engine, capabilities?.platform ?? "", tags.join(","), `${contributions}`, state];
          }),
        );
      }
    });

  withRemoteFlags(clients.command("revoke <client>"))
    .description("Shut a device out for good.")
    .action(async (client: string, flags: Flags) => {
      await (await openRest(flags)).delete(routes.client(client));
      print(`${client} is revoked`);
    });
}
