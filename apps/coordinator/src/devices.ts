import type { Ask, ClientId, Dismissal, RunId, RunNews } from "@tributary/protocol";

/** A connected device's socket, as far as anyone but the socket plugin needs it. */
export interface DeviceLink {
  ask(ask: Ask): void;
  dismiss(dismissal: Dismissal): void;
  news(news: RunNews): void;
  close(reason: string): void;
}

interface Device {
  readonly client: ClientId;
  readonly name: string;
  readonly tags: readonly string[];
  readonly runs: ReadonlySet<RunId>;
  readonly link: DeviceLink;
}

/** A device began or ceased to offer itself for a run. */
export interface Membership {
  readonly client: ClientId;
  readonly name: string;
  readonly run: RunId;
  readonly change: { readonly kind: "join" } | { readonly kind: "leave"; readonly reason: string };
}

/**
 * Who is connected, and for which runs. A device whose socket breaks is absent at once, but counts as departed only
 * after a grace period, so that a network switch in the middle of a step costs nothing.
 */
export class Devices {
  readonly #connected = new Map<ClientId, Device>();
  readonly #grace = new Map<ClientId, NodeJS.Timeout>();
  readonly #expelled = new Set<ClientId>();
  readonly #graceMs: number;
  #closed = false;
  /** Called when the set of devices present for any run has changed. */
  onPresent: () => void = () => {};
  /** Called for each run that a device begins or ceases to offer itself for. */
  onMembership: (membership: Membership) => void = () => {};
  /** Called when a device is gone for good: it left, or its grace is over. `run` is undefined for every run. */
  onDeparted: (client: ClientId, reason: string, run?: RunId) => void = () => {};

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  connect(client: ClientId, device: { name: string; tags: readonly string[]; link: DeviceLink }): void {
    clearTimeout(this.#grace.get(client));
    this.#grace.delete(client);
    const before = this.#connected.get(client);
    this.#connected.set(client, { client, ...device, runs: new Set() });
    this.#tellOfLeaving(before, "the device connected again");
    before?.link.close("connected again from elsewhere");
  }

  offer(client: ClientId, runs: readonly RunId[]): void {
    const device = this.#connected.get(client);
    if (device === undefined) return;
    const offered = new Set(runs);
    this.#connected.set(client, { ...device, runs: offered });
    this.#tellOfLeaving(device, "the device offers other runs", (run) => !offered.has(run));
    for (const run of offered) {
      if (!device.runs.has(run)) this.onMembership({ client, name: device.name, run, change: { kind: "join" } });
    }
    this.onPresent();
  }

  /** The device takes no part in `run` (or in anything) any more. */
  leave(client: ClientId, run?: RunId): void {
    const device = this.#connected.get(client);
    if (device === undefined) return;
    const runs = new Set(run === undefined ? [] : [...device.runs].filter((offered) => offered !== run));
    this.#connected.set(client, { ...device, runs });
    this.#tellOfLeaving(device, "the device left", (left) => !runs.has(left));
    this.onDeparted(client, "the device left", run);
    this.onPresent();
  }

  /** The socket is gone; `link` says which, since a device may already be connected again. */
  disconnect(client: ClientId, link: DeviceLink): void {
    const device = this.#connected.get(client);
    if (device?.link !== link) return;
    this.#connected.delete(client);
    this.#tellOfLeaving(device, "the connection was lost");
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#grace.delete(client);
      this.onDeparted(client, `the device was not heard from for ${this.#graceMs} ms`);
    }, this.#graceMs);
    this.#grace.set(client, timer);
    this.onPresent();
  }

  /** Puts a device out at once, for as long as this process lives; the store keeps it out after that. */
  expel(client: ClientId, reason: string): void {
    this.#expelled.add(client);
    const device = this.#connected.get(client);
    this.#connected.delete(client);
    clearTimeout(this.#grace.get(client));
    this.#grace.delete(client);
    this.#tellOfLeaving(device, reason);
    device?.link.close(reason);
    this.onDeparted(client, reason);
    this.onPresent();
  }

  #tellOfLeaving(device: Device | undefined, reason: string, ceases: (run: RunId) => boolean = () => true): void {
    for (const run of device?.runs ?? []) {
      if (!ceases(run)) continue;
      this.onMembership({ client: device!.client, name: device!.name, run, change: { kind: "leave", reason } });
    }
  }

  isExpelled(client: ClientId): boolean {
    return this.#expelled.has(client);
  }

  isConnected(client: ClientId): boolean {
    return this.#connected.has(client);
  }

  /** The clients that offered themselves for `run` and carry all of `tags`, by name, then id. */
  presentFor(run: RunId, tags: readonly string[]): ClientId[] {
    return [...this.#connected.values()]
      .filter((device) => device.runs.has(run) && tags.every((tag) => device.tags.includes(tag)))
      .sort((a, b) => compare(a.name, b.name) || compare(a.client, b.client))
      .map(({ client }) => client);
  }

  /** How many clients `presentFor` would give. */
  countFor(run: RunId, tags: readonly string[]): number {
    let count = 0;
    for (const { runs, tags: own } of this.#connected.values()) {
      if (runs.has(run) && tags.every((tag) => own.includes(tag))) count += 1;
    }
    return count;
  }

  link(client: ClientId): DeviceLink | undefined {
    return this.#connected.get(client)?.link;
  }

  links(): DeviceLink[] {
    return [...this.#connected.values()].map(({ link }) => link);
  }

  get count(): number {
    return this.#connected.size;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#grace.values()) clearTimeout(timer);
    this.#grace.clear();
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
