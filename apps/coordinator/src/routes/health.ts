import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Problem, routes } from "@tributary/protocol";
import Type from "typebox";

const Health = Type.Object({ status: Type.Literal("ok") });

/** Liveness (the process answers) and readiness (the store answers too, and the coordinator is not stopping). */
export const healthRoutes: FastifyPluginAsyncTypebox<{ ready: () => Promise<void> }> = async (app, { ready }) => {
  app.get(
    routes.health(),
    { schema: { summary: "Is the process alive?", response: { 200: Health } } },
    async (_request, reply) => {
      // A page that may not read the API can tell by this that the coordinator is there, and say so.
      reply.header("cross-origin-resource-policy", "cross-origin");
      return { status: "ok" as const };
    },
  );
  app.get(
    routes.ready(),
    { schema: { summary: "Can it serve?", response: { 200: Health, "5xx": Problem } } },
    async () => {
      await ready();
      return { status: "ok" as const };
    },
  );
};
