import { equalBytes } from "@noble/ciphers/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ProtocolError } from "@tributary/protocol";
import { wipe } from "../crypto/bytes.ts";
import { typeOfMessage } from "../message/header.ts";
import type { SessionParameters } from "../session/parameters.ts";
import { type Advertised, advertise, type Enrolled } from "./advertise.ts";
import { type Confirmed, confirm } from "./confirm.ts";
import { type Masked, mask } from "./mask.ts";
import type { ClientPorts } from "./ports.ts";
import { type Shared, share } from "./share.ts";
import { type Answered, repeatAnswer, unmask } from "./unmask.ts";

/**
 *   advertise ──▶ Advertised ──roster──▶ Shared ──envelopes──▶ Masked ──survivors──▶ Confirmed ──tags──▶ Answered
 *
 * Every question is answered once; the same bytes again get the same answer, anything else is refused.
 */
export type ClientState = Advertised | Shared | Masked | Confirmed | Answered;

/** One device's part in one session, for a shell that gets questions as bytes and sends answers as bytes. */
export interface ClientSession {
  readonly parameters: SessionParameters;
  /** The answer to the opening question: this client's advertisement. */
  readonly advertisement: Uint8Array;
  /** Answers the next question, or repeats the last answer. `ProtocolError` ends the attempt: call `drop`. */
  answer(question: Uint8Array): Promise<Uint8Array>;
  /** Wipes what secrets are left. */
  drop(): void;
}

/** What a session asks of the device while it goes on. */
export interface SessionHooks {
  /** The contribution, encoded for these parameters; asked for once, when it is to be masked. */
  words(parameters: SessionParameters): Promise<Uint32Array>;
  /** Must have stored `answered` durably before it resolves: only then is the answer sent. */
  persist(answered: Answered): Promise<void>;
  /** Neighbours that sent something unusable; for the log. */
  report?(what: "unopened" | "unconfirmed", members: readonly number[]): void;
}

/** Opens a session by answering its parameters. Throws what `advertise` throws. */
export async function openClientSession(
  ports: ClientPorts,
  self: Enrolled,
  opening: { question: Uint8Array; hooks: SessionHooks },
): Promise<ClientSession> {
  const { hooks } = opening;
  const first = await advertise(ports, self, opening.question);
  const { parameters } = first.state;
  let state: ClientState = first.state;
  let last: { digest: Uint8Array; answer: Uint8Array } | undefined;

  async function step(question: Uint8Array): Promise<{ state: ClientState; answer: Uint8Array }> {
    const type = typeOfMessage(question);
    switch (state.phase) {
      case "advertised":
        return type === "shareQuestion" ? share(ports, state, question) : outOfTurn(state, type);
      case "shared": {
        if (type !== "maskQuestion") return outOfTurn(state, type);
        const next = await mask(ports, state, { question, words: await hooks.words(parameters) });
        if (next.unopened.length > 0) hooks.report?.("unopened", next.unopened);
        return next;
      }
      case "masked":
        return type === "confirmQuestion" ? confirm(state, question) : outOfTurn(state, type);
      case "confirmed": {
        if (type !== "unmaskQuestion") return outOfTurn(state, type);
        const next = unmask(state, question);
        if (next.unconfirmed.length > 0) hooks.report?.("unconfirmed", next.unconfirmed);
        await hooks.persist(next.state);
        return { state: next.state, answer: next.state.answer };
      }
      case "answered":
        return { state, answer: repeatAnswer(state, question) };
    }
  }

  return {
    parameters,
    advertisement: first.answer,
    async answer(question) {
      const digest = sha256(question);
      if (last !== undefined && equalBytes(last.digest, digest)) return last.answer;
      const next = await step(question);
      state = next.state;
      last = { digest, answer: next.answer };
      return next.answer;
    },
    drop() {
      dropState(state);
      last = undefined;
    },
  };
}

/** Overwrites every secret of a state. Call it when an attempt ends, however it ends. */
export function dropState(state: ClientState): void {
  switch (state.phase) {
    case "advertised":
      wipe(state.channel.secretKey, state.mask.secretKey);
      return;
    case "shared":
      for (const { boxKey, macKey } of state.channels.values()) wipe(boxKey, macKey);
      if (state.own !== undefined) wipe(state.own.seedShare, state.own.keyShare);
      wipe(state.mask.secretKey, state.selfSecret);
      return;
    case "masked":
    case "confirmed":
      for (const { seedShare, keyShare } of state.held.values()) wipe(seedShare, keyShare);
      wipe(...state.macKeys.values());
      return;
    case "answered":
      wipe(state.answer);
      return;
  }
}

function outOfTurn(state: ClientState, type: string | undefined): never {
  const found = `a ${type ?? "message of no known kind"}`;
  throw new ProtocolError("secure_already_answered", `${found} while this device is "${state.phase}"`);
}
