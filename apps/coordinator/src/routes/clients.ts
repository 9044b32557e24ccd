import { randomBytes } from "node:crypto";
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
  protocolVersion,
  routes,
} from "@tributary/protocol";
import Type from "typebox";
import { clientRecords } from "../client-records.ts";
import type { Federation } from "../federation.ts";
import { deviceOf } from "../plugins/credentials.ts";
import { hashToken, mintToken } from "../secrets.ts";
import type { Store } from "../store/store.ts";

/** Devices: enrolment, what each should know, and what the operator sees and does. */
export const clientRoutes: FastifyPluginAsyncTypebox<{ federation: Federation; store: Store }> = async (
  app,
  options,
) => {
  const { federation, store } = options;

  app.post(
    routes.clients(),
    {
      attachValidation: true,
      schema: { summary: "Enrol a device", body: Enrolment, response: { 201: Enrolled, "4xx": Problem } },
    },
    async (request, reply) => {
      checkVersion(request.body);
      const { name, engine, tags, joinToken } = parse(Enrolment, request.body, { what: "enrolment" });
      app.checkJoinToken(joinToken);
      const client = `client-${randomBytes(8).toString("hex")}` as ClientId;
      const token = mintToken("tribdev");
      await store.enrol({ client, name, engine, tags, tokenHash: hashToken(token), createdAt: federation.now() });
      request.log.info({ client, name, engine }, "device enrolled");
      return reply.code(201).send({ client, token });
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

/** Before the schema, so that an older or newer device hears which versions there are, not that a field is unknown. */
function checkVersion(body: unknown): void {
  const version = (body as { protocol?: unknown } | null)?.protocol;
  if (version === protocolVersion || typeof version !== "number") return;
  throw new ProtocolError(
    "upgrade_required",
    `This coordinator speaks protocol version ${protocolVersion}, the device ${version}; upgrade the older one.`,
  );
}
