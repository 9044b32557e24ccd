import { type ClientId, type DeviceState, ProtocolError, parse, refusals, socketEvents } from "@tributary/protocol";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { type Socket, Server as SocketServer } from "socket.io";
import type { Static } from "typebox";
import type { DeviceLink } from "../devices.ts";
import type { Federation } from "../federation.ts";
import { hashToken } from "../secrets.ts";
import type { Store } from "../store/store.ts";
import { mayTalk, type Origins } from "./origins.ts";
import { tokenBucket } from "./token-bucket.ts";

declare module "fastify" {
  interface FastifyInstance {
    io: SocketServer;
  }
}

const coolDownMs = 60_000;

type DeviceEvent = keyof typeof socketEvents.fromDevice;
type Payload<Event extends DeviceEvent> = Static<(typeof socketEvents.fromDevice)[Event]>;

export interface SocketOptions {
  readonly federation: Federation;
  readonly store: Store;
  readonly origins: Origins;
  /** More are told to come again, each at a time of its own: ten thousand at once would stall every round. */
  readonly handshakesPerSecond: number;
}

/** Small typed messages between coordinator and devices; bytes go over HTTP. WebSocket only. */
export const sockets = fastifyPlugin(async (app: FastifyInstance, options: SocketOptions) => {
  const { federation, store, origins, handshakesPerSecond } = options;
  const handshake = tokenBucket({ perSecond: handshakesPerSecond, burst: handshakesPerSecond }, () =>
    performance.now(),
  );
  /** Devices that were cut off for their bursts, and until when. */
  const coolingUntil = new Map<ClientId, number>();
  const io = new SocketServer(app.server, {
    transports: ["websocket"],
    serveClient: false,
    maxHttpBufferSize: 65_536,
    connectTimeout: 5_000,
    pingInterval: 10_000,
    pingTimeout: 20_000,
    // connectionStateRecovery stays off: it readmits devices that were revoked meanwhile.
    allowRequest: (request, decide) => decide(null, mayTalk(request.headers, origins)),
  });
  app.decorate("io", io);
  app.addHook("preClose", async () => {
    // Each at a time of its own, so that they do not all come back in the same moment.
    const retryAfterMs = () => Math.ceil(250 + 750 * Math.random());
    for (const socket of io.sockets.sockets.values()) socket.emit("restarting", { retryAfterMs: retryAfterMs() });
    await io.close();
  });

  io.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => next(refusalFor(error, app)),
    );
  });

  async function admit(socket: Socket): Promise<void> {
    if (!handshake()) {
      const found = `more than ${handshakesPerSecond} devices a second connect`;
      throw new ProtocolError("rate_limited", found, { retryAfterMs: Math.ceil(1_000 + 4_000 * Math.random()) });
    }
    const token: unknown = socket.handshake.auth["token"];
    if (typeof token !== "string") throw new ProtocolError("unauthorized", "The socket's auth must carry a token.");
    const client = await store.clientByTokenHash(hashToken(token), federation.now());
    if (client === undefined)
      throw new ProtocolError("unauthorized", "This token is not, or no longer, one given out here.");
    if (client.revoked) throw new ProtocolError("forbidden", "This device was revoked by the operator.");
    const retryAfterMs = Math.ceil((coolingUntil.get(client.client) ?? 0) - performance.now());
    if (retryAfterMs > 0) throw new ProtocolError("rate_limited", "It sent far too many messages.", { retryAfterMs });
    coolingUntil.delete(client.client);
    socket.data = { client: client.client, name: client.name, tags: client.tags };
  }

  io.on("connection", (socket) => {
    const { client, name, tags } = socket.data as { client: ClientId; name: string; tags: string[] };
    const log = app.log.child({ client });
    const link: DeviceLink = {
      ask: (ask) => socket.emit("ask", ask),
      dismiss: (dismissal) => socket.emit("dismiss", dismissal),
      news: (news) => socket.emit("run", news),
      close: () => socket.disconnect(true),
    };
    federation.devices.connect(client, { name, tags, link });
    store.touch(client, federation.now()).catch((error: unknown) => log.error({ err: error }, "touch failed"));
    const bucket = tokenBucket({ perSecond: 20, burst: 60 }, () => performance.now());
    let refusedInARow = 0;

    /** Throws `rate_limited` for one message too many, and cuts off whoever goes on regardless. */
    function limit(): void {
      if (bucket()) {
        refusedInARow = 0;
        return;
      }
      refusedInARow += 1;
      if (refusedInARow > 60) {
        coolingUntil.set(client, performance.now() + coolDownMs);
        socket.disconnect(true);
      }
      throw new ProtocolError("rate_limited", "More than 20 messages a second.", { retryAfterMs: 1000 });
    }

    /** The only place where a handler meets a socket: validated, acknowledged, and never able to throw past here. */
    function on<Event extends DeviceEvent>(event: Event, handle: (payload: Payload<Event>) => Promise<unknown>): void {
      // biome-ignore lint/suspicious/noExplicitAny: Socket.IO's untyped listener; the payload is parsed at once
      socket.on(event as string, async (...received: any[]) => {
        const acknowledge = acknowledgement(received);
        try {
          limit();
          const payload = parse(socketEvents.fromDevice[event], received[0], { what: `socket event ${event}` });
          acknowledge({ ok: true, value: await handle(payload as Payload<Event>) });
        } catch (error) {
          acknowledge({ ok: false, problem: refusalFor(error, { log }).data });
        }
      });
    }

    socket.onAny((event: string, ...received: unknown[]) => {
      if (Object.hasOwn(socketEvents.fromDevice, event)) return;
      try {
        limit();
        const known = Object.keys(socketEvents.fromDevice).join(", ");
        throw new ProtocolError("bad_request", `There is no event ${event.slice(0, 64)}; there are ${known}.`);
      } catch (error) {
        acknowledgement(received)({ ok: false, problem: refusalFor(error, { log }).data });
      }
    });
    on("offer", async ({ runs }): Promise<DeviceState> => {
      federation.devices.offer(client, runs);
      return federation.deviceState(client);
    });
    on("progress", async (report) => federation.session(report.run).progress(client, report));
    on("decline", async (decline) => federation.session(decline.run).declined(client, decline));
    on("leave", async ({ run }) => federation.devices.leave(client, run));
    socket.on("disconnect", (reason) => {
      log.debug({ reason }, "socket closed");
      federation.devices.disconnect(client, link);
    });
  });
});

/** The function that answers an event; one that does nothing where the sender wants no answer. */
function acknowledgement(received: readonly unknown[]): (ack: unknown) => void {
  const last = received.at(-1);
  return typeof last === "function" ? (last as (ack: unknown) => void) : () => {};
}

/** The refusal as Socket.IO carries it: an Error with a problem document as `data`. */
function refusalFor(error: unknown, { log }: Pick<FastifyInstance, "log">): Error & { data: unknown } {
  const known = error instanceof ProtocolError;
  if (known) log.info({ code: error.code, detail: error.message }, "socket message refused");
  else log.error({ err: error }, "unexpected error in a socket handler");
  const refusal = known ? error : new ProtocolError("internal", refusals.internal.title);
  return Object.assign(new Error(refusal.code), { data: refusal.problem() });
}
