import "@tensorflow/tfjs-backend-cpu";
import { findBackend, getBackend, setBackend } from "@tensorflow/tfjs-core";

let touched = false;

/**
 * Runs `work` with the library's one global backend set to `backend`, whose start must be over. `work` must not wait:
 * trainers of several engines may live in one process, and what runs after a wait may have another's backend.
 */
export function withEngine<Result>(backend: string, work: () => Result): Result {
  if (!touched) {
    touched = true;
    // Spares the terminal a banner that advertises the native package.
    const plain = findBackend("cpu") as { firstUse?: boolean } | null;
    if (plain !== null) plain.firstUse = false;
    void setBackend("cpu");
  }
  // Setting the backend that is set already would look up every kernel again.
  if (getBackend() !== backend) void setBackend(backend);
  return work();
}
