import type { RefusalCode } from "@tributary/protocol";
import type { Departed } from "../ledger/ledger.ts";
import type { OpenRun } from "../open-runs.ts";
import type { Given } from "../training/messages.ts";
import type { PartState } from "./part-state.ts";

/** Who this tab's device is, and to which coordinator. */
export interface DeviceHere {
  /** Base URL. */
  readonly coordinator: string;
  /** The operator's Ed25519 key in base64, where the page's address names it: only devices on its roster count then. */
  readonly operatorKey: string | undefined;
  readonly tab: string;
  readonly engine: string;
  readonly joinToken: string | undefined;
}

/** What a device takes part with. */
export interface Joining extends DeviceHere {
  readonly run: OpenRun;
  readonly given: Given;
}

export type ToDevice =
  /** `training` is a channel to the training worker. */
  | { readonly type: "join"; readonly joining: Joining; readonly training: MessagePort }
  /** Makes itself known to the coordinator, and no more. */
  | { readonly type: "register"; readonly device: DeviceHere }
  /** Whether the person, or the battery, has this device work on nothing for now. */
  | { readonly type: "pause"; readonly isPaused: boolean }
  | { readonly type: "leave" };

export type FromDevice =
  | { readonly type: "departed"; readonly departed: Departed }
  | { readonly type: "state"; readonly state: PartState }
  /** A session's token, with which this device may look at the runs. */
  | { readonly type: "registered"; readonly token: string }
  | { readonly type: "refused"; readonly code: RefusalCode | undefined; readonly detail: string };
