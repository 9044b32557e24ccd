import { closeSync, openSync, writeSync } from "node:fs";
import type { Ledger } from "@tributary/participant";

/** A ledger on disk, shared by the devices of this process. */
export interface LedgerFile {
  /** The ledger of one device, whose name each of its lines bears. */
  for(device: string): Ledger;
  close(): void;
}

/**
 * Appends to `file` (mode 0600, made if it is missing), one line of JSON for each thing sent. Throws the file system's
 * error where it cannot be written, before anything is sent.
 */
export function openLedgerFile(file: string): LedgerFile {
  const descriptor = openSync(file, "a", 0o600);
  let open = true;
  return {
    for: (device) => ({
      record(entry) {
        // After the end only the farewells of sockets can come.
        if (open) writeSync(descriptor, `${JSON.stringify({ device, ...entry })}\n`);
      },
    }),
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}
