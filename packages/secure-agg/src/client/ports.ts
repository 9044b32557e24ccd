import type { CryptoBackend } from "../crypto/backend.ts";
import type { MaskKernel } from "../kernel/kernel.ts";
import type { Floors } from "../session/floors.ts";

/** What a client's steps need of their surroundings. */
export interface ClientPorts {
  readonly crypto: CryptoBackend;
  readonly kernel: MaskKernel;
  readonly floors: Floors;
  /**
   * Whether the admission authority vouches for this key under this name. Without an authority it is always true, and
   * the guarantee is against an honest-but-curious coordinator only (amendment 8).
   */
  admits(client: string, identityKey: Uint8Array): boolean;
}
