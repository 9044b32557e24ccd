import * as nodeCryptoModule from "node:crypto";
import type { ClientId } from "@tributary/protocol";
import { decodeUnmasking, loadKernel, nodeCrypto, receiveReveal, unmaskSum } from "@tributary/secure-agg";
import type { Opened, UnmaskRequest } from "./secure/unmasker.ts";
import { serveCalls } from "./worker-calls.ts";

// Opens sums on a thread of its own: see secure/unmasker.ts.

const crypto = nodeCrypto(nodeCryptoModule);
const kernel = loadKernel();

async function unmask({ checkpoint, sum, reveals }: UnmaskRequest): Promise<Opened> {
  const state = decodeUnmasking(checkpoint, sum);
  for (const [member, bytes] of reveals) receiveReveal(state, member, bytes);
  const result = await unmaskSum(state, { crypto, kernel: await kernel });
  if (result === undefined) throw new Error("the session was opened before it had enough shares");
  const { total, culprits, transcript } = result;
  const { members } = state.roster;
  return { total, culprits: culprits.map((member) => members[member]!.client as ClientId), transcript };
}

/** Each buffer once: lanes may be parts of one. */
const buffersOf = ({ total }: Opened) => [
  ...new Set(Object.values(total.lanes).map(({ buffer }) => buffer as ArrayBuffer)),
];

serveCalls(unmask, buffersOf);
