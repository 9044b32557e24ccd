import { DeviceState, parse, type RunId } from "@tributary/protocol";
import type { Connection } from "./connection.ts";
import type { OnEvent } from "./events.ts";

/** What the coordinator was told over the connection at hand: which runs may ask this device. */
export class Offers {
  readonly #connection: Pick<Connection, "emit">;
  readonly #onEvent: OnEvent;
  readonly #onRefused: (error: unknown) => void;
  #made: ReadonlySet<RunId> = new Set();

  constructor(
    connection: Pick<Connection, "emit">,
    { onEvent, onRefused }: { onEvent: OnEvent; onRefused: (error: unknown) => void },
  ) {
    this.#connection = connection;
    this.#onEvent = onEvent;
    this.#onRefused = onRefused;
  }

  /** Offers this device to these runs and no others; gives where it stands then. Throws what `Connection.emit` throws. */
  async make(runs: readonly RunId[]): Promise<DeviceState> {
    // Also if no acknowledgement comes, for the coordinator may have heard it.
    this.#made = new Set(runs);
    return parse(DeviceState, await this.#connection.emit("offer", { runs }), { what: "acknowledgement of offer" });
  }

  /** Has one run ask this device no more, if it might. A coordinator that does not hear it has lost the connection. */
  withdraw(run: RunId): void {
    if (!this.#made.has(run)) return;
    this.#made = new Set([...this.#made].filter((made) => made !== run));
    this.#connection.emit("leave", { run }).catch(this.#onRefused);
    this.#onEvent({ type: "withdrawn", run });
  }

  /** A new connection: offers do not outlive the one that they were made on. */
  lapse(): void {
    this.#made = new Set();
  }
}
