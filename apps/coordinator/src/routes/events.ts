import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { EventGap, FederationEvent, heartbeatMs, Problem, ProtocolError, RunId, routes } from "@tributary/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { Federation } from "../federation.ts";
import type { Store } from "../store/store.ts";

/** A reader that takes nothing for this long is cut off; it may come back and resume. */
const patienceMs = 60_000;
const pageLength = 200;

const After = Type.Object({
  /** Begin after this event, as with the `Last-Event-ID` header; 0 gives every event kept. Default: only new ones. */
  after: Type.Optional(Type.Integer({ minimum: 0 })),
});
const streamed = {
  200: { content: { "text/event-stream": { schema: Type.Union([FederationEvent, EventGap]) } } },
  "4xx": Problem,
};

export interface EventRouteOptions {
  readonly federation: Federation;
  readonly store: Store;
  /** Ends every stream: no server closes while one is open. */
  readonly closing: AbortSignal;
}

/**
 * Server-sent events. Each reader is sent what the store holds after the last event it has, page by page as fast as it
 * takes them, and waits when there is no more: so a slow reader costs a page, and none misses an event or gets one twice.
 */
export const eventRoutes: FastifyPluginAsyncTypebox<EventRouteOptions> = async (
  app,
  { federation, store, closing },
) => {
  app.get(
    routes.events(),
    {
      onRequest: [app.operatorOnly],
      schema: { summary: "Watch every run: server-sent events", querystring: After, response: streamed },
    },
    (request, reply) => stream(request, reply, { after: request.query.after }),
  );

  app.get(
    routes.runEvents(),
    {
      onRequest: [app.operatorOnly],
      schema: {
        summary: "Watch a run: server-sent events",
        params: Type.Object({ run: RunId }),
        querystring: After,
        response: streamed,
      },
    },
    (request, reply) => {
      const { run } = federation.session(request.params.run);
      return stream(request, reply, { run, after: request.query.after });
    },
  );

  async function stream(
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: { run?: RunId; after: number | undefined },
  ): Promise<void> {
    if (closing.aborted) throw new ProtocolError("server_restarting", "The coordinator is stopping.");
    const last = lastEventId(request.headers["last-event-id"]) ?? wanted.after;
    const after = last ?? (await store.eventRange()).newest;
    const response = reply.hijack().raw;
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const signal = AbortSignal.any([gone.signal, closing]);
    pump(response, { after, signal, ...(wanted.run === undefined ? {} : { run: wanted.run }) })
      .catch((error: unknown) => {
        if (!signal.aborted) request.log.error({ err: error }, "an event stream broke");
      })
      .finally(() => {
        response.end();
        // No server closes while a connection is left; a reader that has stopped reading would never let go of its own.
        if (response.writableNeedDrain) response.destroy();
        else response.socket?.destroySoon();
      });
  }

  async function pump(
    response: ServerResponse,
    from: { after: number; run?: RunId; signal: AbortSignal },
  ): Promise<void> {
    const { signal, run } = from;
    let { after } = from;
    const news = newsOf(store, signal);
    const { oldest, newest } = await store.eventRange();
    // A number from another data folder says nothing here.
    if (after > newest) after = newest;
    await write(response, `: events after ${after}\n\n`, signal);
    if (newest > 0 && after + 1 < oldest) {
      const gap: EventGap = { type: "gap", after, before: oldest };
      after = oldest - 1;
      await write(response, message("gap", after, gap), signal);
    }
    const heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(": still here\n\n");
    }, heartbeatMs);
    try {
      while (!signal.aborted) {
        // Armed before the store is asked, so that what is written meanwhile ends the wait.
        const more = news.next();
        const page = await store.events({ after, limit: pageLength, ...(run === undefined ? {} : { run }) });
        const text = (await named(store, page)).map((event) => message(event.type, event.id, event)).join("");
        if (text !== "") await write(response, text, signal);
        after = page.at(-1)?.id ?? after;
        // A page may be short because its events are large.
        if (page.length === 0) await more;
      }
    } finally {
      clearInterval(heartbeat);
    }
  }
};

/** The events with what their clients are called: for operators alone, and so not part of what is kept. */
async function named(store: Store, events: readonly FederationEvent[]): Promise<FederationEvent[]> {
  const clients = events.flatMap((event) => ("client" in event ? [event.client] : []));
  if (clients.length === 0) return [...events];
  const names = await store.clientNames([...new Set(clients)]);
  return events.map((event) => {
    const name = "client" in event ? names.get(event.client) : undefined;
    return name === undefined ? event : { ...event, name };
  });
}

/** `next()` resolves at the first events written after the call, or when the signal comes. */
function newsOf(store: Store, signal: AbortSignal): { next(): Promise<void> } {
  let wake = () => {};
  const stop = store.onEvents(() => wake());
  signal.addEventListener(
    "abort",
    () => {
      stop();
      wake();
    },
    { once: true },
  );
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
        if (signal.aborted) resolve();
      }),
  };
}

async function write(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (response.write(text)) return;
  await once(response, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
}

function message(type: string, id: number, event: object): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === "") return undefined;
  if (typeof header === "string" && /^\d{1,15}$/.test(header)) return Number(header);
  throw new ProtocolError("bad_request", `Last-Event-ID: expected the number of an event, found "${header}"`);
}
