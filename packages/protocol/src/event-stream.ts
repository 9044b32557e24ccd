/** The coordinator says something on every event stream at least this often; silence of several of these is a dead line. */
export const heartbeatMs = 15_000;

/** One message of a `text/event-stream`. */
export interface StreamMessage {
  readonly event: string;
  readonly data: string;
  /** The newest `id` so far; empty before the first. */
  readonly lastEventId: string;
}

/**
 * Reads server-sent events (HTML Living Standard, §9.2.6) from text that arrives in pieces of any size: for clients that
 * must send headers, which a browser's EventSource cannot. Comments, heartbeats among them, give nothing.
 */
export class EventStreamReader {
  #lastEventId = "";
  #rest = "";
  #event = "";
  #data: string[] = [];

  /** The messages that `text` completes. */
  read(text: string): StreamMessage[] {
    const messages: StreamMessage[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") this.#dispatch(messages);
      else this.#field(line);
    }
    return messages;
  }

  #dispatch(messages: StreamMessage[]): void {
    if (this.#data.length > 0) {
      const event = this.#event === "" ? "message" : this.#event;
      messages.push({ event, data: this.#data.join("\n"), lastEventId: this.#lastEventId });
    }
    this.#event = "";
    this.#data = [];
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#lastEventId = value;
  }
}
