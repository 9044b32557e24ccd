import { type ClientId, ProtocolError } from "@tributary/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { hashToken, matchesHash } from "../secrets.ts";
import type { Store } from "../store/store.ts";

/** Who sent a request. */
export type Caller =
  | { readonly kind: "operator" }
  | { readonly kind: "device"; readonly client: ClientId }
  | { readonly kind: "anonymous" };

/** What the coordinator asks of callers. `open` (loopback or `--insecure`): operators and devices need no secret. */
export type Access =
  | { readonly kind: "open" }
  | { readonly kind: "guarded"; readonly adminKeyHash: string; readonly joinTokenHash: string };

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller;
  }
  interface FastifyInstance {
    /** Lets operators pass. */
    operatorOnly(request: FastifyRequest): Promise<void>;
    /** Lets operators and enrolled devices pass. */
    knownOnly(request: FastifyRequest): Promise<void>;
    /** Lets enrolled devices pass. */
    deviceOnly(request: FastifyRequest): Promise<void>;
    /** Throws unless this join token admits a device. */
    checkJoinToken(token: string | undefined): void;
  }
}

export const credentials = fastifyPlugin(
  async (app: FastifyInstance, options: { access: Access; store: Store; now: () => number }) => {
    const { access, store, now } = options;

    app.decorateRequest("caller");
    app.addHook("onRequest", async (request) => {
      request.caller = await identify(request.headers.authorization);
    });

    async function identify(authorization: string | undefined): Promise<Caller> {
      if (authorization === undefined) return access.kind === "open" ? { kind: "operator" } : { kind: "anonymous" };
      const token = /^Bearer (\S{1,512})$/i.exec(authorization)?.[1];
      if (token === undefined)
        throw new ProtocolError("unauthorized", "The Authorization header must be: Bearer TOKEN.");
      if (access.kind === "guarded" && matchesHash(token, access.adminKeyHash)) return { kind: "operator" };
      const session = await store.session(hashToken(token), now());
      if (session === undefined) {
        throw new ProtocolError("unauthorized", "This token is not, or no longer, one that this coordinator gave out.");
      }
      if (session.revoked) throw new ProtocolError("forbidden", "This device was revoked by the operator.");
      return { kind: "device", client: session.client };
    }

    function need(condition: boolean, caller: Caller, who: string): void {
      if (condition) return;
      if (caller.kind === "anonymous") throw new ProtocolError("unauthorized", `${who} (Authorization: Bearer …).`);
      throw new ProtocolError("forbidden", `${who}; these credentials are a ${caller.kind}'s.`);
    }

    app.decorate("operatorOnly", async ({ caller }: FastifyRequest) =>
      need(caller.kind === "operator", caller, "This needs the operator's admin key"),
    );
    app.decorate("knownOnly", async ({ caller }: FastifyRequest) =>
      need(caller.kind !== "anonymous", caller, "This needs the operator's admin key or a device's token"),
    );
    app.decorate("deviceOnly", async ({ caller }: FastifyRequest) =>
      need(caller.kind === "device", caller, "This needs a device's token"),
    );
    app.decorate("checkJoinToken", (token: string | undefined) => {
      if (access.kind === "open") return;
      if (token === undefined || !matchesHash(token, access.joinTokenHash)) {
        throw new ProtocolError(
          "unauthorized",
          "To enrol here a device needs the join token that the coordinator printed when it first started (--join-token).",
        );
      }
    });
  },
);

/** The device behind a request that passed `deviceOnly`. */
export function deviceOf(request: FastifyRequest): ClientId {
  if (request.caller.kind !== "device") throw new Error("the route lacks deviceOnly");
  return request.caller.client;
}
