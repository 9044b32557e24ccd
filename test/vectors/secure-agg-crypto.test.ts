import * as node from "node:crypto";
import { ED25519_TORSION_SUBGROUP, ed25519, x25519 } from "@noble/curves/ed25519.js";
import {
  type CryptoBackend,
  isStrictPublicKey,
  nodeCrypto,
  portableCrypto,
  seedSigner,
  sharedSecret,
  verifySignature,
  webCrypto,
} from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const noble: CryptoBackend = {
  ...portableCrypto(),
  name: "noble",
  publicKeyOf: (secret) => x25519.getPublicKey(secret),
  x25519: (secret, peer) => x25519.getSharedSecret(secret, peer),
  ed25519Verify: ({ publicKey, message, signature }) => ed25519.verify(signature, message, publicKey),
};
const backends = [portableCrypto(), noble, nodeCrypto(node), await webCrypto(globalThis.crypto)];

test("four backends are compared, two of them native", () => {
  expect(backends.map(({ name }) => name)).toEqual(["portable", "noble", "node", "webcrypto"]);
});

describe.each(backends)("$name", (crypto) => {
  test("agrees with RFC 7748", async () => {
    // §5.2, first vector.
    const scalar = hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
    const point = hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    expect(await sharedSecret(crypto, scalar, point)).toEqual(
      hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    );
    // §6.1, Alice and Bob.
    const alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    const shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    const alicePublic = await crypto.publicKeyOf(alice);
    expect(alicePublic).toEqual(hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    expect(await sharedSecret(crypto, bob, alicePublic)).toEqual(shared);
    expect(await sharedSecret(crypto, alice, await crypto.publicKeyOf(bob))).toEqual(shared);
  });

  test("refuses every point of small order, and its non-canonical twins", async () => {
    const points = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for (const point of points) {
      await expect(sharedSecret(crypto, hex("42".repeat(32)), hex(point)), point).rejects.toMatchObject({
        code: "secure_key",
      });
    }
  });

  test("takes a tweetnacl signature and none that was bent", async () => {
    const signer = seedSigner(hex("07".repeat(32)));
    const message = hex("00112233");
    const signature = await signer.sign(message);
    const { publicKey } = signer;
    const verify = (change: object) => verifySignature(crypto, { publicKey, message, signature, ...change });
    expect(await verify({})).toBe(true);
    expect(await verify({ message: hex("00112234") })).toBe(false);
    expect(await verify({ signature: signature.slice(0, 63) })).toBe(false);
    const bent = signature.slice();
    bent[0]! ^= 1;
    expect(await verify({ signature: bent })).toBe(false);
    // S + L also satisfies the equation; some backends let it pass.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    let scalar = order;
    for (let i = 0; i < 32; i++) scalar += BigInt(signature[32 + i]!) << BigInt(8 * i);
    const malleable = signature.slice();
    for (let i = 0; i < 32; i++) malleable[32 + i] = Number((scalar >> BigInt(8 * i)) & 255n);
    expect(await verify({ signature: malleable })).toBe(false);
  });

  test("hashes alike", async () => {
    expect(await crypto.sha256(hex("616263"))).toEqual(
      hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    );
  });

  test("a small-order key signs nothing, whatever the signature", async () => {
    for (const point of ED25519_TORSION_SUBGROUP) {
      const publicKey = hex(point);
      expect(isStrictPublicKey(publicKey), point).toBe(false);
      // For the neutral element, R = neutral and S = 0 satisfy the cofactored equation on any message.
      const signature = new Uint8Array(64);
      signature.set(hex(ED25519_TORSION_SUBGROUP[0]!));
      expect(await verifySignature(crypto, { publicKey, message: hex("00"), signature })).toBe(false);
    }
  });
});

test("all backends agree on random keys", async () => {
  for (let round = 0; round < 8; round++) {
    const [secret, other] = [node.randomBytes(32), node.randomBytes(32)].map((bytes) => new Uint8Array(bytes));
    const results = [];
    for (const crypto of backends) results.push(await sharedSecret(crypto, secret!, await crypto.publicKeyOf(other!)));
    for (const result of results) expect(result).toEqual(results[0]);
  }
});

test("non-canonical public keys are refused", () => {
  expect(isStrictPublicKey(hex(`f0${"ff".repeat(30)}7f`))).toBe(false);
  expect(isStrictPublicKey(seedSigner(hex("01".repeat(32))).publicKey)).toBe(true);
  expect(isStrictPublicKey(new Uint8Array(31))).toBe(false);
});
