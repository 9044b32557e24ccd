import nacl from "tweetnacl";
import type { CryptoBackend } from "../crypto/backend.ts";
import { ByteReader, ByteWriter } from "../crypto/bytes.ts";

/** The shares that one client deals to one holder: of its self-mask seed b and of its mask key s. */
export interface DealtShares {
  readonly dealer: number;
  readonly holder: number;
  readonly x: number;
  readonly seedShare: Uint8Array;
  readonly keyShare: Uint8Array;
}

const plainBytes = 4 + 4 + 1 + 32 + 32;
/** A 24-byte nonce, then a tweetnacl secretbox. */
export const envelopeBytes = nacl.secretbox.nonceLength + nacl.secretbox.overheadLength + plainBytes;

/** Seals shares for their holder under the pair's box key. The nonce is random: the key serves both directions. */
export function sealEnvelope(crypto: CryptoBackend, key: Uint8Array, shares: DealtShares): Uint8Array {
  const writer = new ByteWriter().u32(shares.dealer).u32(shares.holder).u8(shares.x);
  const plain = writer.raw(shares.seedShare).raw(shares.keyShare).finish();
  const nonce = crypto.randomBytes(nacl.secretbox.nonceLength);
  const sealed = nacl.secretbox(plain, nonce, key);
  plain.fill(0);
  return new ByteWriter().raw(nonce).raw(sealed).finish();
}

/** The shares of an envelope, or undefined unless it is whole and says the dealer, the holder and the x expected. */
export function openEnvelope(
  key: Uint8Array,
  envelope: Uint8Array,
  expected: Pick<DealtShares, "dealer" | "holder" | "x">,
): DealtShares | undefined {
  if (envelope.length !== envelopeBytes) return undefined;
  const nonce = envelope.subarray(0, nacl.secretbox.nonceLength);
  const plain = nacl.secretbox.open(envelope.subarray(nacl.secretbox.nonceLength), nonce, key);
  if (plain === null) return undefined;
  const reader = new ByteReader(plain, "envelope");
  const [dealer, holder, x] = [reader.u32(), reader.u32(), reader.u8()];
  const shares = { dealer, holder, x, seedShare: reader.raw(32), keyShare: reader.raw(32) };
  plain.fill(0);
  return dealer === expected.dealer && holder === expected.holder && x === expected.x ? shares : undefined;
}
