import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import {
  type ClientId,
  Decline,
  type DeviceState,
  decodeFrame,
  Enrolment,
  type Frame,
  fromBase64,
  type Hint,
  Login,
  Offer,
  ProgressReport,
  ProtocolError,
  parse,
  type RunId,
  type RunPlan,
  routes,
  type Sha256,
  type SignedRoster,
  type StepQuestion,
} from "@tributary/protocol";
import { Server as SocketServer } from "socket.io";
import type { TSchema } from "typebox";
import { checkVersion } from "../../apps/coordinator/src/check-version.ts";
import { Identities } from "../../apps/coordinator/src/identities.ts";
import { freshSigner } from "./device-identity.ts";
import { Log } from "./participant-log.ts";

export type Message =
  | { readonly type: "offer"; readonly client: ClientId; readonly payload: Offer }
  | { readonly type: "progress"; readonly client: ClientId; readonly payload: ProgressReport }
  | { readonly type: "decline"; readonly client: ClientId; readonly payload: Decline }
  | { readonly type: "leave"; readonly client: ClientId }
  | { readonly type: "closed"; readonly client: ClientId };

export interface Answer {
  readonly client: ClientId;
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Empty for the message of a secure step. */
  readonly frame: Frame;
}

interface Asked {
  readonly question: StepQuestion;
  accepted?: Uint8Array;
}

/** A coordinator's wire without its round machine: the test decides what is asked, and when something goes wrong. */
export class ScriptedCoordinator {
  readonly messages = new Log<Message>();
  readonly answers = new Log<Answer>();
  /** Every HTTP request: `GET /v1/state`. */
  readonly requests = new Log<string>();
  readonly enrolments: Enrolment[] = [];
  readonly logins: Login[] = [];
  runs: RunPlan[] = [];
  /** Called before an HTTP request is served: may throw a refusal, or say that the reply is to be lost on its way. */
  disturb: (request: string) => "lose the reply" | undefined = () => undefined;
  readonly #tls: { key: string; cert: string } | undefined;
  /** Who this coordinator is; another puts a stranger in its place. */
  identities = new Identities({ signer: freshSigner(), now: () => performance.now() });
  /** What it serves as the operator's; `undefined` for none. */
  roster: SignedRoster | undefined;
  /** Every device's key, by its id, and whose session each token is. */
  readonly #keys = new Map<ClientId, string>();
  readonly #clients = new Map<string, ClientId>();
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #asked = new Map<string, Asked>();
  #port: number;
  #http: Server | undefined;
  #io: SocketServer | undefined;

  /** `port` 0: any that is free. */
  constructor(options: { tls?: { key: string; cert: string }; port?: number } = {}) {
    this.#tls = options.tls;
    this.#port = options.port ?? 0;
  }

  get url(): string {
    return `${this.#tls ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  /** Listens; after `stop`, on the same port as before, still knowing everything. */
  async start(): Promise<this> {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const http = this.#tls ? createTlsServer(this.#tls, serve) : createServer(serve);
    const io = new SocketServer(http, { transports: ["websocket"], serveClient: false });
    io.use((socket, next) => {
      const client = this.#clients.get(String(socket.handshake.auth["token"]));
      socket.data.client = client;
      if (client !== undefined) return next();
      const refusal = new ProtocolError("unauthorized", "nobody holds this token");
      next(Object.assign(new Error(refusal.code), { data: refusal.problem() }));
    });
    io.on("connection", (socket) => {
      const client: ClientId = socket.data.client;
      const on = (event: "offer" | "progress" | "decline", schema: TSchema) =>
        socket.on(event, (received: unknown, acknowledge: (ack: unknown) => void) => {
          const payload = parse(schema, received, { what: event });
          acknowledge({ ok: true, value: event === "offer" ? this.#state(client) : null });
          this.messages.add({ type: event, client, payload } as Message);
        });
      on("offer", Offer);
      on("progress", ProgressReport);
      on("decline", Decline);
      socket.on("leave", (_: unknown, acknowledge: (ack: unknown) => void) => {
        this.messages.add({ type: "leave", client });
        acknowledge({ ok: true, value: null });
      });
      socket.on("disconnect", () => this.messages.add({ type: "closed", client }));
      socket.join(client);
    });
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (http.address() as AddressInfo).port;
    this.#http = http;
    this.#io = io;
    return this;
  }

  async stop(): Promise<void> {
    this.#http?.closeAllConnections();
    await this.#io?.close();
  }

  /** Forgets who holds which token, as after a lost database. */
  forgetClients(): void {
    this.#keys.clear();
    this.expireSessions();
    this.dropConnections();
  }

  /** Closes every socket, as a broken network does; devices come back. */
  dropConnections(): void {
    this.#io?.disconnectSockets(true);
  }

  /** Ends every session: tokens count no more, devices are known still. */
  expireSessions(): void {
    this.#clients.clear();
  }

  /** Puts a vector where devices fetch it; `served` are other bytes to serve under its name. */
  publish(
    values: Float32Array,
    served?: Uint8Array,
  ): { sha256: Sha256; bytes: number; element: "f32"; length: number } {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
    this.#blobs.set(sha256, served ?? bytes);
    return { sha256, bytes: bytes.byteLength, element: "f32", length: values.length };
  }

  /** Has a question ready for a client, and tells it unless `silently`. */
  ask(client: ClientId, question: StepQuestion, silently?: "silently"): Hint {
    const { run, round, attempt, step, kind } = question;
    this.#asked.set(routes.question(question, client), { question });
    const hint = { run, round, attempt, step, kind };
    if (silently === undefined) this.tell(client, "ask", hint);
    return hint;
  }

  /** Sends one socket message, well-formed or not. */
  tell(client: ClientId, event: string, payload: unknown): void {
    this.#io?.to(client).emit(event, payload);
  }

  /** Tells everyone that a run is over, and lists it no more. */
  finish(run: RunId): void {
    this.runs = this.runs.filter((plan) => plan.run !== run);
    this.#io?.emit("run", { run, phase: "finished", reason: "all rounds done" });
  }

  #state(client: ClientId): DeviceState {
    const asked = [...this.#asked].filter(([path, { accepted }]) => path.endsWith(client) && accepted === undefined);
    return {
      client,
      runs: this.runs,
      asked: asked.map(
        ([
          ,
          {
            question: { run, round, attempt, step, kind },
          },
        ]) => ({ run, round, attempt, step, kind }),
      ),
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Uint8Array.from(Buffer.concat(chunks));
    const path = request.url!.split("?")[0]!;
    const what = `${request.method} ${path}`;
    this.requests.add(what);
    try {
      const disturbance = this.disturb(what);
      const [status, reply] = await this.#reply(request, path, body);
      if (disturbance === "lose the reply") return void request.socket.destroy();
      const bytes = reply instanceof Uint8Array;
      response.writeHead(status, { "content-type": bytes ? "application/octet-stream" : "application/json" });
      response.end(bytes ? reply : JSON.stringify(reply));
    } catch (error) {
      const refusal = error instanceof ProtocolError ? error : new ProtocolError("internal", String(error));
      response.writeHead(refusal.problem().status, { "content-type": "application/problem+json" });
      response.end(JSON.stringify(refusal.problem()));
    }
  }

  async #reply({ method, url, headers }: IncomingMessage, path: string, body: Uint8Array): Promise<[number, object]> {
    if (path === routes.identity()) {
      const challenge = new URL(url!, this.url).searchParams.get("challenge")!;
      return [200, await this.identities.introduce(fromBase64(challenge))];
    }
    if (method === "POST" && path === routes.clients()) return [201, await this.#enrol(body)];
    if (method === "POST" && path === routes.sessions()) return [200, await this.#logIn(body)];
    const client = this.#clients.get(headers.authorization?.replace("Bearer ", "") ?? "");
    if (client === undefined) throw new ProtocolError("unauthorized", "nobody holds this token");
    if (path === routes.roster()) {
      if (this.roster !== undefined) return [200, this.roster];
      throw new ProtocolError("not_found", "there is no roster");
    }
    if (path === routes.state()) return [200, this.#state(client)];
    const blob = this.#blobs.get(path.split("/").at(-1)!);
    if (blob !== undefined) return [200, blob];
    const asked = this.#asked.get(path.replace("/answers/", "/questions/"));
    if (asked === undefined) throw new ProtocolError("wrong_round", `${path} is not what this client was asked`);
    if (method === "GET") return [200, asked.question];
    const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    if (headers["content-digest"] !== digest) throw new ProtocolError("bad_digest", `expected ${digest}`);
    if (Number(headers["content-length"]) !== body.byteLength) throw new ProtocolError("length_required", "no length");
    const { message, answer: shape } = asked.question;
    const frame = message === undefined ? decodeFrame(body, shape) : { weight: 0, values: new Float32Array() };
    const duplicate = asked.accepted !== undefined;
    if (duplicate && Buffer.compare(asked.accepted!, body) !== 0) throw new ProtocolError("conflicting_update", path);
    asked.accepted = body;
    this.answers.add({ client, path, bytes: body, frame });
    return [200, { accepted: true, duplicate }];
  }

  async #enrol(body: Uint8Array) {
    const enrolment = parse(Enrolment, jsonOf(body), { what: "enrolment" });
    checkVersion(enrolment);
    const client = await this.identities.enrolled(enrolment);
    this.enrolments.push(enrolment);
    this.#keys.set(client, enrolment.publicKey);
    return { client, ...this.#begin(client) };
  }

  async #logIn(body: Uint8Array) {
    const login = parse(Login, jsonOf(body), { what: "login" });
    const key = this.#keys.get(login.client);
    if (key === undefined) throw new ProtocolError("not_found", `there is no client ${login.client}`);
    await this.identities.loggedIn(login, key);
    this.logins.push(login);
    return this.#begin(login.client);
  }

  #begin(client: ClientId) {
    const token = randomBytes(16).toString("hex");
    this.#clients.set(token, client);
    return { token, expiresInMs: 60_000 };
  }
}

function jsonOf(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(body));
}
