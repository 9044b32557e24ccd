import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Stands between a page and a coordinator, and does to event streams what bad proxies and dead lines do. */
export interface StallingProxy {
  readonly url: string;
  /** From now on nothing of an event stream gets through, not even its head; anything else does. */
  hold(): void;
  release(): void;
  /** The event streams that are open go silent without an end; new ones are served. */
  wedge(): void;
}

/** A proxy before the coordinator at `target` (plain http), for as long as the test lasts. */
export async function stallingProxy(target: string): Promise<StallingProxy> {
  const { host, hostname, port } = new URL(target);
  const streams = new Map<ServerResponse, () => void>();
  let isHolding = false;
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, host };
    if (headers.origin !== undefined) headers.origin = `http://${host}`;
    const forward = httpRequest({ hostname, port, method: incoming.method, path: incoming.url, headers });
    incoming.pipe(forward);
    forward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => {
      streams.delete(outgoing);
      forward.destroy();
    });
    forward.on("response", (response) => {
      const isStream = response.headers["content-type"] === "text/event-stream";
      if (isStream && isHolding) {
        response.resume();
        return;
      }
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
      if (isStream) streams.set(outgoing, () => response.unpipe(outgoing).resume());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      isHolding = true;
    },
    release: () => {
      isHolding = false;
    },
    wedge: () => {
      for (const stall of streams.values()) stall();
    },
  };
}
