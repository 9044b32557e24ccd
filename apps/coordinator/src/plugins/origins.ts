import type { IncomingHttpHeaders } from "node:http";
import { ProtocolError } from "@tributary/protocol";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";

/** Which pages may talk to this coordinator. */
export interface Origins {
  /** Origins besides the coordinator's own, as browsers send them: `https://join.example`. */
  readonly allowed: readonly string[];
  /** Where no secret is needed, only requests addressed to this machine's own names count (DNS rebinding). */
  readonly loopbackOnly: boolean;
}

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** What a page elsewhere may send: what a device sends, and no cookies. */
const preflight = {
  "access-control-allow-methods": "GET, POST, PUT",
  "access-control-allow-headers": "authorization, content-type, content-digest",
  "access-control-max-age": "600",
} as const;

/**
 * Refuses requests that another site's page makes a visitor's browser send, and tells browsers which pages may read the
 * answers (Fetch standard, "CORS protocol").
 */
export const origins = fastifyPlugin(async (app: FastifyInstance, options: Origins) => {
  app.addHook("onRequest", async (request, reply) => {
    const { method, headers } = request;
    if (!mayTalk(headers, options)) {
      throw new ProtocolError("forbidden", "Pages of this origin, or requests for this host, are not served here.");
    }
    if (options.allowed.length > 0) reply.header("vary", "origin");
    if (headers.origin === undefined || !options.allowed.includes(headers.origin)) return undefined;
    reply.headers({
      "access-control-allow-origin": headers.origin,
      "access-control-expose-headers": "retry-after, etag",
    });
    if (method === "OPTIONS" && headers["access-control-request-method"] !== undefined) {
      return reply.code(204).headers(preflight).send();
    }
    return undefined;
  });
});

/** Whether a request with these headers is the coordinator's own page's, an allowed page's, or no page's at all. */
export function mayTalk({ origin, host }: IncomingHttpHeaders, { allowed, loopbackOnly }: Origins): boolean {
  const name = host?.replace(/:\d+$/, "");
  if (loopbackOnly && name !== undefined && !loopbackNames.has(name)) return false;
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
