import { findBackendFactory, registerBackend, removeBackend } from "@tensorflow/tfjs-core";

/** Starts a registered backend and registers it again as it stands, so that switching to it never has to wait. */
export async function settleBackend(name: string): Promise<void> {
  const factory = findBackendFactory(name);
  if (factory === null) throw new Error("the backend is not registered");
  const backend = await factory();
  removeBackend(name);
  registerBackend(name, () => backend, 0);
}
