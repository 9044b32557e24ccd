import { ProtocolError } from "@tributary/protocol";

/**
 * The coordinator's base URL. Throws `bad_request` for what is not one, and for plain http to another machine: there,
 * tokens and models would travel readable to anyone between, unless the caller says that this is wanted.
 */
export function coordinatorAddress(text: string, options: { insecure: boolean }): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ProtocolError("bad_request", `coordinator: expected an address like https://host:port, found "${text}"`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !options.insecure) {
    throw new ProtocolError(
      "bad_request",
      `coordinator: ${text} would send everything in the clear to another machine; use https:// (with the fingerprint ` +
        "that the coordinator prints), or say insecure on a network that you trust",
    );
  }
  return text.replace(/\/+$/, "");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
