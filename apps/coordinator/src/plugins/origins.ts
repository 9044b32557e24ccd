import type { IncomingHttpHeaders } from "node:http";
import { ProtocolError } from "@tributary/protocol";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";

/** Which pages may talk to this coordinator. */
export interface Origins {
  /** Origins besides the coordinator's own. */
  readonly allowed: readonly string[];
  /** Where no secret is needed, only requests addressed to this machine's own names count (DNS rebinding). */
  readonly loopbackOnly: boolean;
}

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Refuses requests that another site's page makes a visitor's browser send. */
export const origins = fastifyPlugin(async (app: FastifyInstance, options: Origins) => {
  app.addHook("onRequest", async (request) => {
    if (!mayTalk(request.headers, options)) {
      throw new ProtocolError("forbidden", "Pages of this origin, or requests for this host, are not served here.");
    }
  });
});

/** Whether a request with these headers is the coordinator's own page's, an allowed page's, or no page's at all. */
export function mayTalk({ origin, host }: IncomingHttpHeaders, { allowed, loopbackOnly }: Origins): boolean {
  const name = host?.replace(/:\d+$/, "");
  if (loopbackOnly && name !== undefined && !loopbackNames.has(name)) return false;
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
