import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Challenge,
  fromBase64,
  Introduction,
  Login,
  Problem,
  ProtocolError,
  parse,
  routes,
  Session,
  SignedRoster,
} from "@tributary/protocol";
import { checkVersion } from "../check-version.ts";
import type { Federation } from "../federation.ts";
import type { Identities } from "../identities.ts";
import type { Store } from "../store/store.ts";

/** Who the coordinator is, and how a device that is enrolled gets a token. */
export const identityRoutes: FastifyPluginAsyncTypebox<{
  federation: Federation;
  store: Store;
  identities: Identities;
}> = async (app, { federation, store, identities }) => {
  app.get(
    routes.identity(),
    {
      schema: {
        summary: "The coordinator's key, proved, and a nonce for one enrolment or login",
        querystring: Challenge,
        response: { 200: Introduction, "4xx": Problem },
      },
    },
    async (request) => {
      const { challenge } = parse(Challenge, request.query, { what: "identity" });
      return identities.introduce(fromBase64(challenge));
    },
  );

  app.post(
    routes.sessions(),
    {
      attachValidation: true,
      schema: { summary: "Log in with the device's key", body: Login, response: { 200: Session, "4xx": Problem } },
    },
    async (request) => {
      checkVersion(request.body);
      const login = parse(Login, request.body, { what: "login" });
      const known = await store.client(login.client);
      if (known === undefined) throw new ProtocolError("not_found", `There is no client ${login.client}; enrol first.`);
      await identities.loggedIn(login, known.publicKey);
      const { token, kept } = identities.mintSession(federation.now());
      await store.startSession(login.client, kept);
      return { token, expiresInMs: identities.sessionMs };
    },
  );

  app.get(
    routes.roster(),
    {
      onRequest: [app.knownOnly],
      schema: {
        summary: "The devices that the operator vouches for",
        response: { 200: SignedRoster, "4xx": Problem },
      },
    },
    async () => {
      if (identities.roster !== undefined) return identities.roster;
      throw new ProtocolError("not_found", "This coordinator was started without --roster.");
    },
  );
};
