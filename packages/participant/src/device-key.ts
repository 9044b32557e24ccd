import { type Signer, seedSigner } from "@tributary/secure-agg";

/** Where a device keeps its long-term Ed25519 key: one key per coordinator and device, the same one every time. */
export interface DeviceKeys {
  signerFor(coordinator: string, device: string): Promise<Signer>;
}

/** Keys for as long as the process lives, each drawn from the platform's generator when first asked for. */
export function keysInMemory(): DeviceKeys {
  const signers = new Map<string, Signer>();
  return {
    async signerFor(coordinator, device) {
      const name = JSON.stringify([coordinator, device]);
      const held = signers.get(name) ?? seedSigner(crypto.getRandomValues(new Uint8Array(32)));
      signers.set(name, held);
      return held;
    },
  };
}
