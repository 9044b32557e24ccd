import { EventStreamReader, type FederationEvent } from "@tributary/protocol";
import { onTestFinished } from "vitest";

/** A connection to a stream of server-sent events; everything that arrived so far is in `events`. */
export class EventReader {
  readonly events: FederationEvent[] = [];
  readonly #stop = new AbortController();
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #reader = new EventStreamReader();

  private constructor(response: Response, stop: AbortController) {
    this.#stop = stop;
    this.#chunks = response.body![Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  static async open(address: string, options: { lastEventId?: number; token?: string } = {}): Promise<EventReader> {
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const { lastEventId, token } = options;
    const response = await fetch(address, {
      headers: {
        ...(lastEventId === undefined ? {} : { "last-event-id": `${lastEventId}` }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal: stop.signal,
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return new EventReader(response, stop);
  }

  /** Reads until an event satisfies the condition, and gives it; rejects when the stream ends before. */
  async until(fits: (event: FederationEvent) => boolean): Promise<FederationEvent> {
    for (let looked = 0; ; ) {
      const found = this.events.slice(looked).find(fits);
      if (found !== undefined) return found;
      looked = this.events.length;
      const { done, value } = await this.#chunks.next();
      if (done === true) throw new Error(`the stream ended after ${looked} events`);
      for (const { data } of this.#reader.read(this.#decoder.decode(value, { stream: true }))) {
        this.events.push(JSON.parse(data) as FederationEvent);
      }
    }
  }

  get lastId(): number {
    return this.events.at(-1)?.id ?? 0;
  }

  close(): void {
    this.#stop.abort();
  }
}
