import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import {
  type ClientId,
  enrolmentStatement,
  fromBase64,
  introductionStatement,
  loginStatement,
  ProtocolError,
  PublicKey,
  parse,
  rosterStatement,
  Signature,
  toBase64,
} from "@tributary/protocol";
import { clientIdOf, openRoster, portableCrypto, seedSigner, signRoster } from "@tributary/secure-agg";
import { expect, test } from "vitest";
import { refusal } from "../support/refusal.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const filled = (byte: number) => new Uint8Array(32).fill(byte);
const field = (content: string) => `${(content.length / 2).toString(16).padStart(2, "0")}000000${content}`;
const text = (content: string) => field(Buffer.from(content).toString("hex"));
const bytes = (byte: string) => field(byte.repeat(32));

test("every statement is its label and fields, each after its length, little-endian", () => {
  expect(hex(introductionStatement({ challenge: filled(1), nonce: filled(2) }))).toBe(
    `${text("tributary introduction v1")}${bytes("01")}${bytes("02")}`,
  );
  const to = { coordinatorKey: filled(1), nonce: filled(2) };
  expect(hex(enrolmentStatement({ ...to, publicKey: filled(3), name: "Zoë" }))).toBe(
    `${text("tributary enrolment v1")}${bytes("01")}${bytes("02")}${bytes("03")}${field("5a6fc3ab")}`,
  );
  expect(hex(loginStatement({ ...to, client: "client-0000" as ClientId }))).toBe(
    `${text("tributary login v1")}${bytes("01")}${bytes("02")}${text("client-0000")}`,
  );
  expect(hex(rosterStatement([{ name: "a", publicKey: filled(1) }, { publicKey: filled(2) }]))).toBe(
    `${text("tributary roster v1")}${bytes("01")}${text("a")}${bytes("02")}${field("")}`,
  );
});

test("a byte that moves from one field to the next makes another statement", () => {
  const members = (names: [string, string]) => rosterStatement(names.map((name) => ({ name, publicKey: filled(1) })));
  expect(hex(members(["ab", "c"]))).not.toBe(hex(members(["a", "bc"])));
});

// RFC 8032, section 7.1, test 1.
const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
const key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

test("a client's id is the beginning of its key's SHA-256", () => {
  expect(hex(seedSigner(seed).publicKey)).toBe(key);
  expect(clientIdOf(Buffer.from(key, "hex"))).toBe("client-21fe31dfa154a261626bf854046fd227");
});

test("a proof is plain Ed25519 over the statement: OpenSSL makes the same", async () => {
  const statement = enrolmentStatement({
    coordinatorKey: filled(1),
    nonce: filled(2),
    publicKey: filled(3),
    name: "x",
  });
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const openssl = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  expect(createPublicKey(openssl).export({ format: "jwk" }).x).toBe(Buffer.from(key, "hex").toString("base64url"));
  expect(hex(await seedSigner(seed).sign(statement))).toBe(sign(null, statement, openssl).toString("hex"));
});

test("keys and signatures have one base64 each", () => {
  const refused = (schema: typeof PublicKey, value: string) => () => parse(schema, value, { what: "key" });
  const [short, long] = [toBase64(filled(255)), toBase64(new Uint8Array(64).fill(255))];
  expect(parse(PublicKey, short, { what: "key" })).toBe(short);
  expect(parse(Signature, long, { what: "signature" })).toBe(long);
  expect(fromBase64(short)).toEqual(filled(255));
  for (const [schema, good] of [
    [PublicKey, short],
    [Signature, long],
  ] as const) {
    const last = good.replace(/=*$/, "").length - 1;
    // The next character stands for the same bytes and one spare bit.
    const spare = `${good.slice(0, last)}${good[last] === "8" ? "9" : "x"}${good.slice(last + 1)}`;
    for (const wrong of [spare, good.slice(1), `${good}=`, good.replaceAll("/", "_"), `${good}\n`]) {
      expect(refused(schema, wrong), wrong).toThrow(ProtocolError);
    }
  }
});

test("a roster holds as it was signed, and under the operator's key alone", async () => {
  const [operator, stranger] = [seedSigner(seed), seedSigner(filled(9))];
  const members = [1, 2, 3].map((byte) => ({
    name: `box ${byte}`,
    publicKey: toBase64(seedSigner(filled(byte)).publicKey),
  }));
  const signed = await signRoster(operator, members);
  const open = (roster: unknown, operatorKey?: string) => openRoster(portableCrypto(), roster, operatorKey);
  const opened = await open(signed, toBase64(operator.publicKey));
  expect([...opened.keys]).toEqual(members.map(({ publicKey }) => publicKey));
  expect(await refusal(open(signed, toBase64(stranger.publicKey)))).toBe("roster_refused");
  const forged = await signRoster(stranger, members);
  for (const changed of [
    { ...signed, members: members.slice(1) },
    { ...signed, members: [members[1], members[0], members[2]] },
    { ...signed, members: [{ ...members[0], name: "box 9" }, ...members.slice(1)] },
    { ...signed, members: [...members, members[0]] },
    { ...signed, signature: forged.signature },
    { ...forged, operatorKey: signed.operatorKey },
    { ...signed, signature: undefined },
    { ...signed, note: "unsigned" },
    null,
  ]) {
    expect(await refusal(open(changed, toBase64(operator.publicKey))), JSON.stringify(changed)).toBe("roster_refused");
  }
});

test("no roster is signed that has a key twice, or one that anyone could sign for", async () => {
  const publicKey = toBase64(filled(1));
  const identity = toBase64(Uint8Array.of(1, ...new Uint8Array(31)));
  const good = toBase64(seedSigner(filled(1)).publicKey);
  expect(await refusal(signRoster(seedSigner(seed), [{ publicKey: good }, { publicKey: good }]))).toBe(
    "roster_refused",
  );
  expect(await refusal(signRoster(seedSigner(seed), [{ publicKey: identity }]))).toBe("roster_refused");
  expect(publicKey).not.toBe(good);
});
