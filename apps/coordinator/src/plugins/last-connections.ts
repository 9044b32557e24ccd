import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";

/**
 * At the coordinator's end: requests under way may finish for `patienceMs`, then whatever connection is left is cut. A
 * server's own `close` waits for every one, and a client that dawdles over an upload or never answers the closing of
 * its socket would keep the process, and what it still has to write, for as long as it likes.
 */
export const lastConnections = fastifyPlugin(async (app: FastifyInstance, { patienceMs }: { patienceMs: number }) => {
  const open = new Set<Socket>();
  app.server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  app.addHook("preClose", async () => {
    setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, patienceMs).unref();
  });
});
