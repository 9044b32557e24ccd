import type { CryptoBackend } from "./backend.ts";
import { portableCrypto } from "./portable.ts";

/** What this backend uses of the platform's `crypto`; the shell passes it, so that the package stays pure. */
export interface WebCryptoLike {
  getRandomValues(bytes: Uint8Array): unknown;
  readonly subtle: {
    importKey(format: string, key: object, algorithm: object, extractable: boolean, usages: string[]): Promise<object>;
    deriveBits(algorithm: object, key: object, length: number): Promise<ArrayBuffer>;
    verify(algorithm: object, key: object, signature: Uint8Array, message: Uint8Array): Promise<boolean>;
    digest(algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer>;
  };
}

const x25519Private = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32);
const basePoint = Uint8Array.of(9, ...new Uint8Array(31));

/**
 * WebCrypto: `webCrypto(globalThis.crypto)`. Await it once; where X25519 or Ed25519 is missing (older browsers), that
 * part is tweetnacl's.
 */
export async function webCrypto(
  platform: unknown,
  options: { randomBytes?: (length: number) => Uint8Array } = {},
): Promise<CryptoBackend> {
  const web = platform as WebCryptoLike;
  const randomBytes =
    options.randomBytes ??
    ((length: number) => {
      const bytes = new Uint8Array(length);
      // getRandomValues gives at most 65,536 bytes a call.
      for (let at = 0; at < length; at += 65_536) web.getRandomValues(bytes.subarray(at, at + 65_536));
      return bytes;
    });
  const portable = portableCrypto(randomBytes);
  // One private key meets a whole neighbourhood: imported once, it goes when its array does.
  const imported = new WeakMap<Uint8Array, Promise<object>>();
  const importSecret = async (secretKey: Uint8Array) => {
    const der = new Uint8Array(48);
    der.set(x25519Private);
    der.set(secretKey, 16);
    const key = await web.subtle.importKey("pkcs8", der, { name: "X25519" }, false, ["deriveBits"]);
    der.fill(0);
    return key;
  };
  const x25519: CryptoBackend["x25519"] = async (secretKey, publicKey) => {
    const known = imported.get(secretKey) ?? importSecret(secretKey);
    imported.set(secretKey, known);
    const secret = await known;
    const peer = await web.subtle.importKey("raw", publicKey, { name: "X25519" }, false, []);
    return new Uint8Array(await web.subtle.deriveBits({ name: "X25519", public: peer }, secret, 256));
  };
  const ed25519Verify: CryptoBackend["ed25519Verify"] = async ({ publicKey, message, signature }) => {
    const key = await web.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    return web.subtle.verify({ name: "Ed25519" }, key, signature, message);
  };
  const native = async (attempt: () => unknown) => {
    try {
      await attempt();
      return true;
    } catch {
      return false;
    }
  };
  const hasX25519 = await native(() => x25519(Uint8Array.of(1, ...new Uint8Array(31)), basePoint));
  const probe = { publicKey: basePoint, message: basePoint, signature: new Uint8Array(64) };
  const hasEd25519 = await native(() => ed25519Verify(probe));
  return {
    name: hasX25519 && hasEd25519 ? "webcrypto" : "webcrypto in part",
    randomBytes,
    publicKeyOf: hasX25519 ? (secretKey) => x25519(secretKey, basePoint) : portable.publicKeyOf,
    x25519: hasX25519 ? x25519 : portable.x25519,
    ed25519Verify: hasEd25519 ? ed25519Verify : portable.ed25519Verify,
    sha256: async (bytes) => new Uint8Array(await web.subtle.digest("SHA-256", bytes)),
  };
}
