import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  ClientId,
  ClientRecord,
  DeviceState,
  Enrolled,
  Enrolment,
  Problem,
  ProtocolError,
  parse,
  routes,
} from "@tributary/protocol";
import Type from "typebox";
import { checkVersion } from "../check-version.ts";
import { clientRecords } from "../client-records.ts";
import type { Federation } from "../federation.ts";
import type { Identities } from "../identities.ts";
import { deviceOf } from "../plugins/credentials.ts";
import type { Store } from "../store/store.ts";

/** Devices: enrolment, what each should know, and what the operator sees and does. */
export const clientRoutes: FastifyPluginAsyncTypebox<{
  federation: Federation;
  store: Store;
  identities: Identities;
}> = async (app, options) => {
  const { federation, store, identities } = options;

  app.post(
    routes.clients(),
    {
      attachValidation: true,
      schema: {
        summary: "Enrol a device by its key; again by the same key, it is the same client with a new token",
        body: Enrolment,
        response: { 200: Enrolled, 201: Enrolled, "4xx": Problem },
      },
    },
    async (request, reply) => {
      checkVersion(request.body);
      const enrolment = parse(Enrolment, request.body, { what: "enrolment" });
      const { name, engine, tags, capabilities, publicKey } = enrolment;
      app.checkJoinToken(enrolment.joinToken);
      const client = await identities.enrolled(enrolment);
      const createdAt = federation.now();
      const known = await store.client(client);
      const { token, kept } = identities.mintSession(createdAt);
      await store.enrol({ client, name, engine, tags, capabilities, publicKey, createdAt, ...kept });
      request.log.info({ client, name, engine, again: known !== undefined }, "device enrolled");
      return reply.code(known === undefined ? 201 : 200).send({ client, token, expiresInMs: identities.sessionMs });
    },
  );

  app.get(
    routes.clients(),
    {
      onRequest: [app.operatorOnly],
      schema: { summary: "Every device, oldest first", response: { 200: Type.Array(ClientRecord) } },
    },
    async () => clientRecords(store, federation.devices),
  );

  app.delete(
    routes.client(),
    {
      onRequest: [app.operatorOnly],
      schema: {
        summary: "Revoke a device for good",
        params: Type.Object({ client: ClientId }),
        response: { 204: Type.Null(), "4xx": Problem },
      },
    },
    async (request, reply) => {
      await store.revoke(request.params.client);
      federation.devices.expel(request.params.client, "revoked by the operator");
      return reply.code(204).send(null);
    },
  );

  app.get(
    routes.state(),
    {
      onRequest: [app.deviceOnly],
      schema: {
        summary: "What a device needs to know after any absence",
        querystring: Type.Object({ client: Type.Optional(ClientId) }),
        response: { 200: DeviceState, "4xx": Problem },
      },
    },
    async (request) => {
      const client = deviceOf(request);
      if (request.query.client !== undefined && request.query.client !== client) {
        throw new ProtocolError("forbidden", "This token belongs to another client.");
      }
      return federation.deviceState(client);
    },
  );
};
