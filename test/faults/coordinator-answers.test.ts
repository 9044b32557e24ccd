import { randomBytes } from "node:crypto";
import { type ClientRequest, request } from "node:http";
import { encodeFrame, type Hint, type RoundRecord, routes } from "@tributary/protocol";
import { beforeEach, expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { digestHeader, HandDevice, tinyParameters, tinyUpdate } from "../support/coordinator-device.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
let url: string;
let run: string;
let alice: HandDevice;
let bob: HandDevice;
let hint: Hint;

/** A round of two that waits for both. */
beforeEach(async () => {
  ({ url } = coordinator);
  ({ run } = await createRun(url, specOf({ cohort: { size: 2, minimum: 2, overSelect: 1 }, stop: { rounds: 2 } })));
  alice = await HandDevice.joined(url, run, { name: "alice" });
  bob = await HandDevice.joined(url, run, { name: "bob" });
  hint = await alice.asked();
  await bob.asked();
});

test("a question that is small enough comes with the hint, as it would be fetched", async () => {
  const { question: told, ...address } = await alice.asked();
  const { body: fetched } = await alice.question(address);
  expect({ ...told, remainingMs: 0 }).toEqual({ ...fetched, remainingMs: 0 });
  expect(told?.remainingMs).toBeGreaterThanOrEqual(fetched.remainingMs);
});

const rounds = async () => (await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`)).body;
const weights = async (version: number) => {
  const { body } = await call<Uint8Array>(url, `GET ${routes.modelWeights(run, version)}`);
  return new Float32Array(body.slice().buffer);
};

/** Finishes the round with what is asked of both, and gives how far the model moved. */
async function finish(change: { alice: number; bob: number }): Promise<number> {
  await alice.answer(hint, tinyUpdate(change.alice));
  await bob.answer(hint, tinyUpdate(change.bob));
  await runThat(url, run, ({ round }) => round === 1);
  return (await weights(1))[0]! - (await weights(0))[0]!;
}

const floats = (length: number, fill = 0.5) => new Float32Array(length).fill(fill);
const length = tinyParameters + 2;
const good = () => encodeFrame({ weight: 10, values: floats(length) });
function changed(offset: number, bytes: Uint8Array): Uint8Array {
  const frame = good();
  frame.set(bytes, offset);
  return frame;
}
const withValue = (value: number) => encodeFrame({ weight: 10, values: floats(length).with(3, value) });

test.each<[what: string, frame: Uint8Array, detail: RegExp]>([
  ["too short by one value", encodeFrame({ weight: 10, values: floats(length - 1) }), /expected 56 bytes, found 52/],
  ["too long by one value", encodeFrame({ weight: 10, values: floats(length + 1) }), /expected 56 bytes, found 60/],
  ["cut off", good().subarray(0, 40), /expected 56 bytes, found 40/],
  ["followed by a trailing byte", Buffer.concat([good(), Buffer.of(0)]), /expected 56 bytes, found 57/],
  ["empty", new Uint8Array(0), /expected 56 bytes, found 0/],
  ["of doubles", encodeFrame({ weight: 10, values: new Float64Array(length / 2) }), /element type: expected f32/],
  ["of another magic", changed(0, Buffer.from("TRUB")), /magic: expected TRIB/],
  ["of another wire version", changed(4, Buffer.of(2)), /wire version: expected 1, found 2/],
  ["of another bit width", changed(6, Buffer.of(16)), /bit width: expected 32, found 16/],
  ["with its length in big-endian", changed(8, Buffer.of(0, 0, 0, length)), /length: expected 8 elements/],
  ["with a reserved byte set", changed(12, Buffer.of(1)), /reserved bytes/],
  ["with a NaN", withValue(Number.NaN), /value 3: expected a finite number, found NaN/],
  ["with an infinity", withValue(Number.NEGATIVE_INFINITY), /value 3: expected a finite number, found -Infinity/],
  ["without weight", encodeFrame({ weight: 0, values: floats(length) }), /weight: expected a number > 0, found 0/],
  ["with a negative weight", encodeFrame({ weight: -1, values: floats(length) }), /weight: expected a finite number/],
  ["with a weight that is NaN", encodeFrame({ weight: Number.NaN, values: floats(length) }), /weight/],
])("D9: a frame %s is refused and leaves no trace in the sum", async (_what, frame, detail) => {
  const refused = await alice.answer(hint, frame);
  expect(refused).toMatchObject({ status: 422, body: { code: "bad_update", retryable: false } });
  expect(refused.body.detail).toMatch(detail);
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
  expect((await rounds())[0]).toMatchObject({ survivors: [alice.client, bob.client].sort(), dropped: [] });
});

test("D9: an answer whose bytes are not those of its digest is refused, and may be sent again", async () => {
  const refused = await alice.answer(hint, tinyUpdate(5), {
    headers: { "content-digest": digestHeader(tinyUpdate(1)) },
  });
  expect(refused).toMatchObject({ status: 422, body: { code: "bad_digest", retryable: true } });
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
});

test.each([
  ["missing", {}],
  ["of another algorithm", { "content-digest": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:" }],
  ["of another length", { "content-digest": "sha-256=:AAAA:" }],
])("an answer whose Content-Digest is %s is refused, and told what is wanted", async (_what, headers) => {
  const path = routes.answer(hint, alice.client);
  const refused = await call(url, `PUT ${path}`, { token: alice.token, bytes: tinyUpdate(1), headers });
  expect(refused).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(refused.body.detail).toContain("Content-Digest: sha-256=:base64:");
});

test("D13: an answer without a Content-Length is refused before a byte of it is kept", async () => {
  const frame = tinyUpdate(1);
  const refused = await alice.answer(hint, frame, { bytes: [frame.subarray(0, 20), frame.subarray(20)] });
  expect(refused).toMatchObject({ status: 411, body: { code: "length_required" } });
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
});

test("D13: an answer far larger than the step asks for is refused by its length alone", async () => {
  const refused = await alice.answer(hint, randomBytes(8 << 20));
  expect(refused).toMatchObject({ status: 422, body: { code: "bad_update" } });
  expect(refused.body.detail).toContain("expected 56 bytes, found 8388608");
});

test.each(["application/json", "text/plain"])(
  "an answer sent as %s is a refusal, not a fault of the coordinator",
  async (type) => {
    const text = Buffer.from(`"${"x".repeat(54)}"`);
    const refused = await alice.answer(hint, text, { headers: { "content-type": type } });
    expect(refused).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(refused.body.detail).toContain("application/octet-stream");
    expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
  },
);

test("an answer without a body is a refusal, not a fault of the coordinator", async () => {
  const refused = await call(url, `PUT ${routes.answer(hint, alice.client)}`, {
    token: alice.token,
    headers: { "content-digest": digestHeader(new Uint8Array(0)) },
  });
  expect(refused).toMatchObject({ status: 400, body: { code: "bad_request" } });
});

test("C1, C4: the same answer again is acknowledged as a duplicate and counted once", async () => {
  const frame = tinyUpdate(1);
  expect(await alice.answer(hint, frame)).toMatchObject({ status: 200, body: { accepted: true, duplicate: false } });
  expect(await alice.answer(hint, frame)).toMatchObject({ status: 200, body: { accepted: true, duplicate: true } });
  await bob.answer(hint, tinyUpdate(3));
  await runThat(url, run, ({ round }) => round === 1);
  // Also when the round is over and the next one has begun: the reply may have been lost that long.
  expect(await alice.answer(hint, frame)).toMatchObject({ status: 200, body: { accepted: true, duplicate: true } });
  expect((await weights(1))[0]! - (await weights(0))[0]!).toBeCloseTo(2, 5);
  expect(await rounds()).toMatchObject([{ weight: 20, bytesUp: 2 * frame.length }]);
});

test("C1: ten uploads of one answer at the same time are one answer", async () => {
  const frame = tinyUpdate(1);
  const replies = await Promise.all(Array.from({ length: 10 }, () => alice.answer(hint, frame)));
  expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(replies.filter(({ body }) => !body.duplicate)).toHaveLength(1);
  await bob.answer(hint, tinyUpdate(3));
  await runThat(url, run, ({ round }) => round === 1);
  expect(await rounds()).toMatchObject([{ weight: 20, bytesUp: 2 * frame.length }]);
});

test("C2, B6: a second answer that differs is refused, and the first one stays", async () => {
  await alice.answer(hint, tinyUpdate(1));
  const refused = await alice.answer(hint, tinyUpdate(7));
  expect(refused).toMatchObject({ status: 409, body: { code: "conflicting_update" } });
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
  expect(await alice.answer(hint, tinyUpdate(7))).toMatchObject({ status: 409, body: { code: "conflicting_update" } });
});

test("C2: of two answers that race, one counts and the other is refused", async () => {
  const replies = await Promise.all([1, 5].map((change) => alice.answer(hint, tinyUpdate(change))));
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
  const counted = replies[0]!.status === 200 ? 1 : 5;
  await bob.answer(hint, tinyUpdate(3));
  await runThat(url, run, ({ round }) => round === 1);
  expect((await weights(1))[0]! - (await weights(0))[0]!).toBeCloseTo((counted + 3) / 2, 5);
});

test("C3: an answer that comes after its step has closed is refused for good", async () => {
  await bob.answer(hint, tinyUpdate(3));
  await alice.answer(hint, tinyUpdate(1));
  const next = await alice.asked(({ round }) => round === 2);
  const carol = await HandDevice.joined(url, run, { name: "carol" });
  const late = await carol.answer(hint, tinyUpdate(1));
  expect(late).toMatchObject({ status: 410, body: { code: "phase_closed", retryable: false } });
  expect((await bob.answer({ ...next, step: 1 }, tinyUpdate(1))).body).toMatchObject({
    code: "too_early",
    retryable: true,
    retryAfterMs: expect.any(Number),
  });
});

test("C5: an answer to another round, attempt or run is refused with where the run is", async () => {
  for (const address of [
    { ...hint, round: 2 },
    { ...hint, round: 99 },
    { ...hint, attempt: 2 },
  ]) {
    const refused = await alice.answer(address, tinyUpdate(1));
    expect(refused).toMatchObject({ status: 409, body: { code: "wrong_round" } });
    expect(refused.body.detail).toContain("the run is collecting after round 0");
  }
  expect((await alice.answer({ ...hint, round: 0 }, tinyUpdate(1))).body.code).toBe("phase_closed");
  const elsewhere = await alice.answer({ ...hint, run: "run-00000000" as Hint["run"] }, tinyUpdate(1));
  expect(elsewhere).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
});

test("an address that is none is refused", async () => {
  for (const path of [
    `/v1/runs/${run}/rounds/-1/attempts/1/steps/0/answers/${alice.client}`,
    `/v1/runs/${run}/rounds/1/attempts/x/steps/0/answers/${alice.client}`,
    `/v1/runs/..%2f..%2fetc/rounds/1/attempts/1/steps/0/answers/${alice.client}`,
    `/v1/runs/${run}/rounds/1/attempts/1/steps/0/answers/..%2f..%2fother`,
  ]) {
    const refused = await call(url, `PUT ${path}`, { token: alice.token, bytes: tinyUpdate(1) });
    expect([400, 404]).toContain(refused.status);
    expect(refused.body.code).toMatch(/bad_request|not_found/);
  }
});

test("E3: a device cannot read another's question or answer in its name", async () => {
  expect(await alice.question(hint, bob.client)).toMatchObject({ status: 403, body: { code: "forbidden" } });
  const forged = await alice.answer(hint, tinyUpdate(9), { client: bob.client });
  expect(forged).toMatchObject({ status: 403, body: { code: "forbidden" } });
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
});

test("a device that was not asked gets no question and its answer does not count", async () => {
  const carol = await HandDevice.joined(url, run, { name: "carol" });
  expect(await carol.question(hint)).toMatchObject({ status: 403, body: { code: "not_asked" } });
  expect(await carol.answer(hint, tinyUpdate(9))).toMatchObject({ status: 403, body: { code: "not_asked" } });
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
});

test("an operator's request for a device's question is refused: only the device itself may answer", async () => {
  const refused = await call(url, `PUT ${routes.answer(hint, alice.client)}`, { bytes: tinyUpdate(1) });
  expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
});

test("an upload that breaks off leaves nothing, and the whole one counts", async () => {
  const frame = tinyUpdate(1);
  const broken = upload(alice, hint, frame);
  const gone = new Promise((resolve) => broken.on("error", resolve));
  await new Promise<void>((resolve) => broken.write(frame.subarray(0, 30), () => resolve()));
  broken.destroy();
  await gone;
  expect(await finish({ alice: 1, bob: 3 })).toBeCloseTo(2, 5);
});

test("E4: an upload that a device began before it was revoked does not count any more", async () => {
  const spec = specOf({ cohort: { size: 2, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } });
  const { run } = await createRun(url, spec);
  await Promise.all([alice.offer(run), bob.offer(run)]);
  const hint = await alice.asked((hint) => hint.run === run);
  const frame = tinyUpdate(9);
  const slow = upload(alice, hint, frame);
  await new Promise<void>((resolve) => slow.write(frame.subarray(0, 30), () => resolve()));
  // Requests are served in the order in which they come: a reply to this says that the upload has begun.
  await call(url, "GET /healthz");
  expect((await call(url, `DELETE ${routes.client(alice.client)}`)).status).toBe(204);
  slow.end(frame.subarray(30));
  expect(await statusOf(slow)).toBe(403);
  await bob.answer(hint, tinyUpdate(3));
  await runThat(url, run, ({ phase }) => phase === "finished");
  const { body } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  expect(body).toMatchObject([{ survivors: [bob.client], dropped: [{ client: alice.client }], weight: 10 }]);
});

/** The request of an upload whose body is still to be written. */
function upload(device: HandDevice, address: Hint, frame: Uint8Array): ClientRequest {
  const { hostname, port } = new URL(url);
  const headers = {
    authorization: `Bearer ${device.token}`,
    "content-type": "application/octet-stream",
    "content-length": frame.length,
    "content-digest": digestHeader(frame),
  };
  return request({ hostname, port, method: "PUT", path: routes.answer(address, device.client), headers, agent: false });
}

function statusOf(sent: ClientRequest): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    sent.on("response", (response) => resolve(response.resume().statusCode));
    sent.on("error", reject);
  });
}
