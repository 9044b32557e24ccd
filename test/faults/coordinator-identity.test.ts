import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ClientRecord,
  type Enrolled,
  type Enrolment,
  fromBase64,
  type Introduction,
  introductionStatement,
  type Problem,
  protocolVersion,
  routes,
  type Session,
  toBase64,
} from "@tributary/protocol";
import { clientIdOf, portableCrypto, type Signer, verifySignature } from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import { Identities } from "../../apps/coordinator/src/identities.ts";
import { call } from "../support/coordinator-calls.ts";
import { HandDevice } from "../support/coordinator-device.ts";
import { localCoordinator, sharedCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { enrolmentOf, freshChallenge, freshSigner, loginOf } from "../support/device-identity.ts";
import { refusal } from "../support/refusal.ts";

const coordinator = sharedCoordinator();

async function introduced(url = coordinator.url): Promise<Introduction> {
  return (await call<Introduction>(url, `GET ${routes.identity(freshChallenge())}`)).body;
}

const post = <Body = Problem>(path: string, json: unknown, url = coordinator.url) =>
  call<Body & Problem>(url, `POST ${path}`, { json });

async function enrolled(signer: Signer, url = coordinator.url, different: Partial<Enrolment> = {}) {
  return post<Enrolled>(routes.clients(), await enrolmentOf(await introduced(url), signer, different), url);
}

const state = (token: string, url = coordinator.url) => call(url, `GET ${routes.state()}`, { token });

test("the coordinator proves its key over each device's own challenge", async () => {
  const challenge = freshChallenge();
  const { body } = await call<Introduction>(coordinator.url, `GET ${routes.identity(challenge)}`);
  const signed = (over: string) => ({
    publicKey: fromBase64(body.coordinatorKey),
    message: introductionStatement({ challenge: fromBase64(over), nonce: fromBase64(body.nonce) }),
    signature: fromBase64(body.signature),
  });
  expect(await verifySignature(portableCrypto(), signed(challenge))).toBe(true);
  expect(await verifySignature(portableCrypto(), signed(freshChallenge()))).toBe(false);
  for (const bad of ["", "?challenge=", "?challenge=AAAA", `?challenge=${encodeURIComponent(challenge)}&x=1`]) {
    expect(await call(coordinator.url, `GET ${routes.identity()}${bad}`), bad).toMatchObject({ status: 400 });
  }
});

test("a device's id is its key's hash; the operator sees the key", async () => {
  const signer = freshSigner();
  const { status, body } = await enrolled(signer, coordinator.url, { name: "with a key" });
  expect({ status, client: body.client }).toEqual({ status: 201, client: clientIdOf(signer.publicKey) });
  expect(body.expiresInMs).toBe(24 * 3_600_000);
  const { body: clients } = await call<ClientRecord[]>(coordinator.url, `GET ${routes.clients()}`);
  expect(clients.find(({ client }) => client === body.client)).toMatchObject({
    name: "with a key",
    publicKey: toBase64(signer.publicKey),
  });
});

test("E5: the same key again is the same client with a new token; the old token is worth nothing", async () => {
  const signer = freshSigner();
  const first = await enrolled(signer);
  const second = await enrolled(signer);
  expect(second).toMatchObject({ status: 200, body: { client: first.body.client } });
  expect(await state(first.body.token)).toMatchObject({ status: 401 });
  expect(await state(second.body.token)).toMatchObject({ status: 200, body: { client: first.body.client } });
});

test("a device logs in with its key; each session takes the place of the one before", async () => {
  const signer = freshSigner();
  const { body } = await enrolled(signer);
  const login = await post<Session>(routes.sessions(), await loginOf(await introduced(), signer));
  expect(login).toMatchObject({ status: 200, body: { expiresInMs: 24 * 3_600_000 } });
  expect(await state(body.token)).toMatchObject({ status: 401 });
  expect(await state(login.body.token)).toMatchObject({ status: 200, body: { client: body.client } });
  const stranger = await post(routes.sessions(), await loginOf(await introduced(), freshSigner()));
  expect(stranger).toMatchObject({ status: 404, body: { code: "not_found" } });
});

test("E2: an enrolment and a login count once; repeated, they are refused as a replay", async () => {
  const signer = freshSigner();
  const enrolment = await enrolmentOf(await introduced(), signer);
  expect(await post(routes.clients(), enrolment)).toMatchObject({ status: 201 });
  const login = await loginOf(await introduced(), signer);
  expect(await post(routes.sessions(), login)).toMatchObject({ status: 200 });
  for (const [path, json] of [
    [routes.clients(), enrolment],
    [routes.sessions(), login],
  ] as const) {
    const again = await post(path, json);
    expect(again).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    expect(again.body.detail).toMatch(/^replay: /);
  }
});

test("E7: a proof whose signature was changed into another valid one for lax verifiers is refused, and saves no replay", async () => {
  const signer = freshSigner();
  const enrolment = await enrolmentOf(await introduced(), signer);
  const malleated = { ...enrolment, proof: plusGroupOrder(enrolment.proof) };
  expect((await post(routes.clients(), malleated)).body.detail).toMatch(/^bad_signature: /);
  expect(await post(routes.clients(), enrolment)).toMatchObject({ status: 201 });
  expect((await post(routes.clients(), malleated)).body.detail).toMatch(/^replay: /);
});

test("E2: what was signed cannot be exchanged: name, key, nonce, coordinator, purpose", async () => {
  const signer = freshSigner();
  const introduction = await introduced();
  const good = await enrolmentOf(introduction, signer);
  const other = await enrolmentOf(introduction, freshSigner());
  const elsewhere = { ...introduction, coordinatorKey: toBase64(freshSigner().publicKey) };
  const login = await loginOf(introduction, signer);
  for (const json of [
    { ...good, name: "another" },
    { ...good, publicKey: other.publicKey },
    { ...good, proof: other.proof },
    { ...good, nonce: (await introduced()).nonce },
    await enrolmentOf(elsewhere, signer),
    { ...good, proof: login.proof },
  ]) {
    const refused = await post(routes.clients(), json);
    expect(refused).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    expect(refused.body.detail).toMatch(/^bad_signature: /);
  }
  // None of them used the nonce up.
  expect(await post(routes.clients(), good)).toMatchObject({ status: 201 });
});

test("E3: no device gets a session of another's", async () => {
  const [own, others] = [freshSigner(), freshSigner()];
  const { body: victim } = await enrolled(others);
  await enrolled(own);
  const refused = await post(routes.sessions(), await loginOf(await introduced(), own, victim.client));
  expect(refused).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  expect(await state(victim.token)).toMatchObject({ status: 200 });
});

test("a nonce that the coordinator did not give is refused as expired", async () => {
  const invented = { ...(await introduced()), nonce: freshChallenge() };
  const refused = await post(routes.clients(), await enrolmentOf(invented, freshSigner()));
  expect(refused).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  expect(refused.body.detail).toMatch(/^expired: /);
});

test("E9: a nonce is good for five minutes of the coordinator's own clock, however wrong a device's is", async () => {
  let now = 0;
  const identities = new Identities({ signer: freshSigner(), now: () => now });
  const [first, second] = [
    await identities.introduce(new Uint8Array(32)),
    await identities.introduce(new Uint8Array(32)),
  ];
  now = 300_000;
  await identities.enrolled(await enrolmentOf(first, freshSigner()));
  expect(await refusal(identities.enrolled(await enrolmentOf(first, freshSigner())))).toBe("unauthorized");
  now = 300_001;
  await expect(identities.enrolled(await enrolmentOf(second, freshSigner()))).rejects.toThrow(/^expired: /);
  // Long after, when the use of it was forgotten too.
  now = 900_000;
  await identities.enrolled(await enrolmentOf(await identities.introduce(new Uint8Array(32)), freshSigner()));
  await expect(identities.enrolled(await enrolmentOf(first, freshSigner()))).rejects.toThrow(/^expired: /);
});

test("the same nonce in two requests at once counts once", async () => {
  const introduction = await introduced();
  const both = await Promise.all(
    [freshSigner(), freshSigner()].map(async (signer) =>
      post(routes.clients(), await enrolmentOf(introduction, signer)),
    ),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([201, 401]);
});

// The eight points of small order, and encodings of y that are not canonical: Ed25519 libraries take some of them.
const weak: readonly [what: string, hex: string][] = [
  ["the identity", "0100000000000000000000000000000000000000000000000000000000000000"],
  ["of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["of order 4", "0000000000000000000000000000000000000000000000000000000000000000"],
  ["of order 4, the other", "0000000000000000000000000000000000000000000000000000000000000080"],
  ["of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
  ["of order 8, the second", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"],
  ["of order 8, the third", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
  ["of order 8, the fourth", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"],
  ["the identity with a sign", "0100000000000000000000000000000000000000000000000000000000000080"],
  ["p in place of 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["p + 1 in place of 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["2²⁵⁵ − 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
];

test.each(weak)("E6: a key that anyone can sign for is refused at enrolment: %s", async (_what, key) => {
  const publicKey = Buffer.from(key, "hex").toString("base64");
  // R = the identity and S = 0: with a key of small order, some verifiers take this under any message.
  const proof = toBase64(Uint8Array.of(1, ...new Uint8Array(63)));
  const { nonce } = await introduced();
  const json = { name: "x", engine: "x", tags: [], protocol: protocolVersion, publicKey, nonce, proof };
  expect(await post(routes.clients(), json)).toMatchObject({ status: 400, body: { code: "bad_request" } });
});

test("E4: a revoked device gets no session, and its key does not enrol again", async () => {
  const signer = freshSigner();
  const { body } = await enrolled(signer);
  const device = new HandDevice(coordinator.url, body);
  await device.connect();
  await call(coordinator.url, `DELETE ${routes.client(body.client)}`);
  await device.closed();
  for (const refused of [
    await state(body.token),
    await post(routes.sessions(), await loginOf(await introduced(), signer)),
    await enrolled(signer),
  ]) {
    expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
  }
});

test("E1: a session ends at its time, over HTTP and at the socket; the key opens another", async () => {
  const { url } = await localCoordinator({ sessionMs: 0 });
  const signer = freshSigner();
  const { body } = await enrolled(signer, url);
  expect(body.expiresInMs).toBe(0);
  expect(await state(body.token, url)).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  await expect(new HandDevice(url, body).connect()).rejects.toMatchObject({ data: { code: "unauthorized" } });
  expect(await post(routes.sessions(), await loginOf(await introduced(url), signer), url)).toMatchObject({
    status: 200,
  });
});

describe("over a restart", () => {
  test("the coordinator keeps its key in a file of its owner's alone, and knows every device again", async () => {
    const folder = await dataFolder();
    const first = await localCoordinator({ dataFolder: folder });
    const signer = freshSigner();
    const { body } = await enrolled(signer, first.url);
    await first.close();
    const file = join(folder, "coordinator.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const second = await localCoordinator({ dataFolder: folder });
    expect(second.coordinatorKey).toBe(first.coordinatorKey);
    expect(await state(body.token, second.url)).toMatchObject({ status: 200, body: { client: body.client } });
    const login = await loginOf(await introduced(second.url), signer);
    expect(await post(routes.sessions(), login, second.url)).toMatchObject({ status: 200 });
    expect(await enrolled(signer, second.url)).toMatchObject({ status: 200, body: { client: body.client } });
    expect((await localCoordinator()).coordinatorKey).not.toBe(first.coordinatorKey);
  });

  test("a nonce from before is expired, so that nothing that was used counts again", async () => {
    const folder = await dataFolder();
    const first = await localCoordinator({ dataFolder: folder });
    const enrolment = await enrolmentOf(await introduced(first.url), freshSigner());
    expect(await post(routes.clients(), enrolment, first.url)).toMatchObject({ status: 201 });
    await first.close();
    const { url } = await localCoordinator({ dataFolder: folder });
    expect((await post(routes.clients(), enrolment, url)).body.detail).toMatch(/^expired: /);
  });

  test("a key file that is something else is named and left as it was", async () => {
    const folder = await dataFolder();
    const file = join(folder, "coordinator.key");
    await writeFile(file, "remember the milk");
    await expect(localCoordinator({ dataFolder: folder })).rejects.toThrow(`${file} does not hold a key`);
    expect(await readFile(file, "utf8")).toBe("remember the milk");
  });
});

/** The signature with its S + L in place of S. */
function plusGroupOrder(proof: string): string {
  const bytes = fromBase64(proof);
  let s = 0n;
  for (let at = 63; at >= 32; at--) s = (s << 8n) | BigInt(bytes[at]!);
  s += 2n ** 252n + 27742317777372353535851937790883648493n;
  for (let at = 32; at < 64; at++, s >>= 8n) bytes[at] = Number(s & 255n);
  return toBase64(bytes);
}
