import { type Ledger, type Participant, type ParticipantOptions, participate } from "@tributary/participant";
import { isOver, ProtocolError } from "@tributary/protocol";
import { webCrypto } from "@tributary/secure-agg";
import { LedgerStore } from "../ledger/ledger-store.ts";
import { portraitOf } from "../ledger/portrait.ts";
import { type Channel, TrainingCalls } from "../training/training-calls.ts";
import { DeviceInTab } from "./device-in-tab.ts";
import type { DeviceHere, FromDevice, Joining, ToDevice } from "./messages.ts";
import { after, afterSending, type Ending, type PartState, partBefore } from "./part-state.ts";
import { Pause } from "./pause.ts";
import { readPin } from "./pins.ts";
import { remoteAbilities } from "./remote-work.ts";

// The device's side of the page: the participant that every client shares, with its sockets and its key. Hashing and
// masking a large model take it long enough that a page would stand still.

interface Page {
  postMessage(message: FromDevice): void;
  addEventListener(type: "message", listener: (event: { readonly data: ToDevice }) => void): void;
}
const page = globalThis as unknown as Page;

/** What leaves is written down and told to the page; of an update, a portrait of its bytes too. */
function ledgerOf({ tab }: DeviceHere): Ledger {
  const store = new LedgerStore(tab);
  return {
    async record(entry, body) {
      const portrait = entry.kind === "update" ? portraitOf(body) : undefined;
      page.postMessage({ type: "departed", departed: { entry, portrait } });
      // Where the browser's storage fails the page has it all the same, for as long as it is open.
      await store.add(entry).catch(() => undefined);
    },
  };
}

let participant: Participant | undefined;
const pause = new Pause();
/** The person may leave before there is a participant. */
let isLeaving = false;

page.addEventListener("message", ({ data: message }) => {
  switch (message.type) {
    case "join":
      message.training.start();
      void join(message.joining, message.training as unknown as Channel);
      break;
    case "register":
      void register(message.device);
      break;
    case "pause":
      pause.set(message.isPaused);
      break;
    case "leave":
      isLeaving = true;
      void participant?.leave({ forget: true }).catch(() => undefined);
  }
});

async function join(joining: Joining, training: Channel): Promise<void> {
  const { run, given } = joining;
  let state = partBefore(run);
  const show = (next: PartState) => {
    state = next;
    page.postMessage({ type: "state", state });
  };
  const end = (ending: Ending) => show({ ...state, ending, doing: { kind: "idle" } });
  try {
    const options = await optionsOf(joining);
    if (isLeaving) {
      await options.kept.remove(run.run);
      return end({ kind: "left" });
    }
    const { identity } = options;
    const ledger = ledgerOf(joining);
    const joined = participate({
      ...options,
      ...remoteAbilities(new TrainingCalls(training), given),
      run: run.run,
      ledger: {
        record(entry, body) {
          show(afterSending(state, entry, Date.now()));
          return ledger.record(entry, body);
        },
      },
      onEvent: (event) => {
        show(after(state, event, Date.now()));
        if (event.type === "connected") {
          void readPin(joining.coordinator).then((known) => show({ ...state, known }));
          void identity.load().then((mine) => page.postMessage({ type: "registered", token: mine!.token }));
        }
      },
    });
    participant = joined;
    pause.attach(joined);
    await joined.done;
    if (joined.state.kind === "left") end({ kind: "left" });
    // A run that ended while this device was away is only found missing.
    else end({ kind: isOver(state.phase) ? state.phase : "gone" });
  } catch (error) {
    const changed = error instanceof ProtocolError && error.code === "coordinator_changed";
    end({ kind: changed ? "changed" : "broken", detail: (error as Error).message });
  }
}

/** Enrols, or logs in, by taking part in nothing. */
async function register(device: DeviceHere): Promise<void> {
  const noData = () => {
    throw new ProtocolError("data_mismatch", "no data was chosen yet");
  };
  const options = await optionsOf(device);
  const joined = participate({
    ...options,
    ledger: ledgerOf(device),
    ...{ datasetFor: noData, trainerFor: noData, clientHalf: noData },
    onEvent: ({ type }) => {
      if (type === "connected") void joined.leave();
    },
  });
  try {
    await joined.done;
    page.postMessage({ type: "registered", token: (await options.identity.load())!.token });
  } catch (error) {
    const code = error instanceof ProtocolError ? error.code : undefined;
    page.postMessage({ type: "refused", code, detail: (error as Error).message });
  }
}

async function optionsOf({ coordinator, operatorKey, tab, engine, joinToken }: DeviceHere) {
  const device = new DeviceInTab(tab, coordinator);
  const pin = await readPin(coordinator);
  return {
    coordinator,
    engine,
    name: deviceName(),
    // Which graphics processor it is would tell people apart, and stays here.
    capabilities: { platform: deviceName(), processors: navigator.hardwareConcurrency },
    fetch: (url, init) => fetch(url, init),
    crypto: await webCrypto(crypto),
    keys: device.keys,
    identity: device.identity,
    answers: device.answers,
    kept: device.kept,
    ...(pin === undefined ? {} : { coordinatorKey: pin.key }),
    ...(operatorKey === undefined ? {} : { operatorKey }),
    ...(joinToken === undefined ? {} : { joinToken }),
  } satisfies Partial<ParticipantOptions>;
}

/** What the operator sees: the kind of browser, no more. */
function deviceName(): string {
  const { userAgent } = navigator;
  const browser = ["Edg", "Firefox", "Chrome", "Safari"].find((name) => userAgent.includes(name)) ?? "other";
  return `browser (${browser === "Edg" ? "Edge" : browser})`;
}
