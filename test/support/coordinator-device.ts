import { createHash } from "node:crypto";
import {
  type Accepted,
  type Ask,
  type ClientId,
  type DeviceState,
  encodeFrame,
  type Introduction,
  type Problem,
  routes,
  type StepAddress,
  type StepQuestion,
} from "@tributary/protocol";
import { io, type Socket } from "socket.io-client";
import { onTestFinished } from "vitest";
import { type Call, call, type Reply } from "./coordinator-calls.ts";
import { enrolmentOf, freshChallenge, freshSigner } from "./device-identity.ts";
import { Log } from "./participant-log.ts";

type Ack = { readonly ok: boolean; readonly value?: unknown; readonly problem?: Problem };

/** A device that does nothing of its own accord: the test decides what it sends, and when. */
export class HandDevice {
  readonly url: string;
  readonly client: ClientId;
  readonly token: string;
  readonly heard = new Log<{ readonly event: string; readonly payload: unknown }>();
  #socket: Socket | undefined;

  constructor(url: string, identity: { client: ClientId; token: string }) {
    this.url = url;
    this.client = identity.client;
    this.token = identity.token;
  }

  static async enrol(url: string, different: Record<string, unknown> = {}): Promise<HandDevice> {
    const { body } = await call<Introduction>(url, `GET ${routes.identity(freshChallenge())}`);
    const json = await enrolmentOf(body, freshSigner(), different);
    const reply = await call<{ client: ClientId; token: string }>(url, `POST ${routes.clients()}`, { json });
    if (reply.status !== 201) throw new Error(`not enrolled: ${JSON.stringify(reply.body)}`);
    return new HandDevice(url, reply.body);
  }

  /** Enrolled, connected, and offering itself to the run. */
  static async joined(url: string, run: string, different: Record<string, unknown> = {}): Promise<HandDevice> {
    const device = await HandDevice.enrol(url, different);
    await device.connect();
    await device.offer(run);
    return device;
  }

  /** Opens the socket; rejects with the handshake's refusal (its problem document in `data`). */
  async connect(): Promise<Socket> {
    const socket = io(this.url, {
      auth: { token: this.token },
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
    });
    this.#socket = socket;
    onTestFinished(() => void socket.close());
    socket.onAny((event: string, payload: unknown) => this.heard.add({ event, payload }));
    socket.on("disconnect", (reason) => this.heard.add({ event: "closed", payload: reason }));
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    return socket;
  }

  get socket(): Socket {
    if (this.#socket === undefined) throw new Error("not connected");
    return this.#socket;
  }

  /** Resolves with the reason when the socket is closed. */
  async closed(): Promise<string> {
    return (await this.heard.next(({ event }) => event === "closed")).payload as string;
  }

  emit(event: string, ...payload: unknown[]): Promise<Ack> {
    return this.socket.emitWithAck(event, ...payload);
  }

  async offer(...runs: string[]): Promise<DeviceState> {
    const { ok, value, problem } = await this.emit("offer", { runs });
    if (!ok) throw new Error(`the offer was refused: ${JSON.stringify(problem)}`);
    return value as DeviceState;
  }

  /** The first question that fits, now or later. */
  async asked(fits: (hint: Ask) => boolean = () => true): Promise<Ask> {
    const { payload } = await this.heard.next(({ event, payload }) => event === "ask" && fits(payload as Ask));
    return payload as Ask;
  }

  question(address: StepAddress, client: string = this.client): Promise<Reply<StepQuestion & Problem>> {
    return call(this.url, `GET ${routes.question(address, client)}`, { token: this.token });
  }

  /** Sends an answer with its right digest, unless `different` says otherwise. */
  answer(
    address: StepAddress,
    bytes: Uint8Array,
    different: Call & { client?: string } = {},
  ): Promise<Reply<Accepted & Problem>> {
    const { client = this.client, headers, ...rest } = different;
    return call(this.url, `PUT ${routes.answer(address, client)}`, {
      token: this.token,
      bytes,
      headers: { "content-digest": digestHeader(bytes), ...headers },
      ...rest,
    });
  }
}

/** `Content-Digest` of RFC 9530. */
export function digestHeader(bytes: Uint8Array): string {
  return `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;
}

/** Weights of logistic regression on two features and two classes, and the two sums that follow them in an update. */
export const tinyParameters = 6;

/** A training answer to `specOf()`'s run: every weight moves by `change`; loss 1 an example. */
export function tinyUpdate(change: number, examples = 10): Uint8Array {
  const values = new Float32Array(tinyParameters + 2).fill(change);
  values[tinyParameters] = examples;
  values[tinyParameters + 1] = examples;
  return encodeFrame({ weight: examples, values });
}

/** What a judging device answers: its examples, the sum of their losses, how many were right, and a histogram's bin. */
export function tinyJudgement(examples: number, lossSum: number, correct: number): Uint8Array {
  const values = new Float32Array(23);
  values.set([examples, lossSum, correct]);
  values[3 + Math.min(19, Math.floor((20 * correct) / examples))] = 1;
  return encodeFrame({ weight: examples, values });
}
