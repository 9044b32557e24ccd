import {
  type Advertised,
  type Advertising,
  advertise,
  type ClientPorts,
  type Confirmed,
  type Confirming,
  closeAdvertising,
  closeConfirming,
  closeMasking,
  closeSharing,
  confirm,
  type Enrolled,
  encodeContribution,
  type Masked,
  type Masking,
  mask,
  maskQuestionFor,
  openSession,
  type PlainContribution,
  receiveAdvertisement,
  receiveConfirmation,
  receiveMasked,
  receiveShares,
  type SessionParameters,
  type Shared,
  type Sharing,
  share,
  type Unmasking,
} from "@tributary/secure-agg";
import { enrolled, kernel, nameOf, portsOf, seededCrypto, signerOf } from "./secure-agg-federation.ts";

/** A session stopped between two steps, for scripts that go on in their own way. Client i is member i. */
export interface Script {
  readonly parameters: SessionParameters;
  readonly seed: string;
  readonly floors?: ClientPorts["floors"];
  readonly contribution?: (client: number) => PlainContribution;
  readonly self?: (client: number) => Enrolled;
}

export function scriptPorts(script: Script, client: number): ClientPorts {
  const crypto = seededCrypto(`${script.seed}/${client}`);
  return portsOf(crypto, script.floors === undefined ? {} : { floors: script.floors });
}

export const coordinatorCrypto = seededCrypto("coordinator");

/** R0 is done; the inbox is open. */
export async function afterAdvertise(script: Script): Promise<{
  advertising: Advertising;
  states: Advertised[];
  ports: ClientPorts[];
}> {
  const { parameters } = script;
  const advertising = openSession(parameters, script.floors);
  const states: Advertised[] = [];
  const ports: ClientPorts[] = [];
  for (let client = 0; client < parameters.clients; client++) {
    const own = scriptPorts(script, client);
    const self = script.self?.(client) ?? enrolled(client);
    const { state, answer } = await advertise(own, self, advertising.question);
    const from = { client: nameOf(client), identityKey: signerOf(client).publicKey, crypto: coordinatorCrypto };
    await receiveAdvertisement(advertising, from, answer);
    states.push(state);
    ports.push(own);
  }
  return { advertising, states, ports };
}

/** R1 is done: every client dealt its shares. */
export async function afterShare(
  script: Script,
): Promise<{ sharing: Sharing; states: Shared[]; ports: ClientPorts[] }> {
  const before = await afterAdvertise(script);
  const sharing = closeAdvertising(before.advertising);
  const states: Shared[] = [];
  for (const [member, state] of before.states.entries()) {
    const next = await share(before.ports[member]!, state, sharing.question);
    receiveShares(sharing, member, next.answer);
    states.push(next.state);
  }
  return { sharing, states, ports: before.ports };
}

/** R2 is done: every vector is masked and uploaded; `plain` and `uploads` by member. */
export async function afterMask(script: Script): Promise<{
  masking: Masking;
  states: Masked[];
  plain: Uint32Array[];
  uploads: Uint8Array[];
}> {
  const before = await afterShare(script);
  const masking = closeSharing(before.sharing);
  const states: Masked[] = [];
  const plain: Uint32Array[] = [];
  const uploads: Uint8Array[] = [];
  for (const [member, state] of before.states.entries()) {
    const contribution = script.contribution?.(member) ?? zeros(script.parameters);
    const seed = before.ports[member]!.crypto.randomBytes(32);
    const words = encodeContribution(script.parameters, contribution, { kernel, seed });
    plain.push(words.slice());
    const next = await mask(before.ports[member]!, state, { question: maskQuestionFor(masking, member), words });
    states.push(next.state);
    uploads.push(next.answer);
  }
  return { masking, states, plain, uploads };
}

/** R3 is done over the members whose upload the coordinator accepts. */
export async function afterConfirm(
  script: Script,
  accepted: (member: number) => boolean = () => true,
): Promise<{ unmasking: Unmasking; states: Map<number, Confirmed>; plain: Uint32Array[]; uploads: Uint8Array[] }> {
  const { masking, states, plain, uploads } = await afterMask(script);
  for (const [member, upload] of uploads.entries()) {
    if (accepted(member)) await receiveMasked(masking, { member, crypto: coordinatorCrypto }, upload);
  }
  const confirming: Confirming = closeMasking(masking);
  const confirmed = new Map<number, Confirmed>();
  for (const member of confirming.survivors) {
    const next = confirm(states[member]!, confirming.question);
    receiveConfirmation(confirming, member, next.answer);
    confirmed.set(member, next.state);
  }
  return { unmasking: closeConfirming(confirming), states: confirmed, plain, uploads };
}

export function zeros({ lanes }: SessionParameters): PlainContribution {
  return { values: new Float64Array(lanes.reduce((sum, { length }) => sum + length, 0)), weight: 100 };
}

/** The refusal code of what is thrown, or "none". */
export async function refusalOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "none";
  } catch (refusal) {
    return (refusal as { code?: string }).code ?? String(refusal);
  }
}
