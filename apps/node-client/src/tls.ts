import type { X509Certificate } from "node:crypto";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import { connect, type PeerCertificate } from "node:tls";
import type { Fetch } from "@tributary/participant";
import { ProtocolError } from "@tributary/protocol";
import { fetch, Agent as HttpAgent, request } from "undici";
import { parseFingerprint } from "./fingerprint.ts";

/** How a device reaches its coordinator: what `participate` sends through. */
export interface Transport {
  readonly fetch: Fetch;
  /** The same, but for the response's own methods, in half the time: no copies and streams of the Fetch standard. */
  readonly exchange: Fetch;
  readonly socket: { readonly agent?: HttpsAgent };
  /** Closes every connection; afterwards the process may end. */
  close(): Promise<void>;
}

interface Trust {
  readonly ca?: string;
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
}

const probeMs = 10_000;

/** A transport that trusts what Node trusts: for http, and for certificates of a known authority. */
export function platformTls(): Transport {
  return transport({});
}

/**
 * A transport that trusts exactly the certificate with this SHA-256 fingerprint, whoever issued it and whatever name it
 * bears. Throws `unauthorized` with both fingerprints when the coordinator shows another certificate, and
 * `coordinator_unreachable` when it shows none.
 */
export async function pinnedTls(url: string, fingerprint: string): Promise<Transport> {
  const pin = parseFingerprint(fingerprint);
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "https:") {
    throw new ProtocolError("bad_request", `a fingerprint belongs to an https:// address, found ${url}`);
  }
  const certificate = await certificateOf(hostname.replace(/^\[|\]$/g, ""), port === "" ? 443 : Number(port), url);
  const found = parseFingerprint(certificate.fingerprint256);
  if (found !== pin) throw new ProtocolError("unauthorized", mismatch(pin, found));
  return transport({
    // A certificate that vouches for itself is its own authority; one that another vouches for is left to Node's check.
    ...(certificate.verify(certificate.publicKey) ? { ca: certificate.toString() } : {}),
    checkServerIdentity(_host, { fingerprint256 }) {
      const shown = parseFingerprint(fingerprint256);
      return shown === pin ? undefined : new Error(mismatch(pin, shown));
    },
  });
}

function transport(trust: Trust): Transport {
  // No resumed sessions: each connection shows its certificate, and each is checked.
  const http = new HttpAgent({ connect: { ...trust, maxCachedSessions: 0 } });
  const agent = new HttpsAgent({ ...trust, maxCachedSessions: 0 });
  return {
    fetch: (to, init) => fetch(to, { ...init, dispatcher: http }),
    exchange: exchangeThrough(http),
    socket: trust.checkServerIdentity === undefined ? {} : { agent },
    async close() {
      agent.destroy();
      await http.destroy();
    },
  };
}

function exchangeThrough(dispatcher: HttpAgent): Fetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await request(url, { method: method as "GET", headers, body: body ?? null, signal, dispatcher });
    const chunks = answer.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
    return {
      ok: answer.statusCode >= 200 && answer.statusCode < 300,
      status: answer.statusCode,
      headers: { get: (name) => [answer.headers[name.toLowerCase()] ?? []].flat().join(", ") || null },
      body: {
        getReader: () => ({
          read: async () => {
            const { done = false, value } = await chunks.next();
            return { done, value };
          },
          cancel: async () => void answer.body.destroy(),
        }),
      },
    };
  };
}

/** The certificate that a server shows. Its check is off for this one connection, over which nothing is ever sent. */
function certificateOf(host: string, port: number, url: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) ? {} : { servername: host };
    const socket = connect({ host, port, ...name, rejectUnauthorized: false, timeout: probeMs });
    const fail = (reason: string) => {
      socket.destroy();
      const check = "check that it runs with TLS, the address and port, and any firewall between";
      reject(new ProtocolError("coordinator_unreachable", `${url} does not answer (${reason}); ${check}`));
    };
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) fail("it showed no certificate");
      else resolve(certificate);
    });
    socket.once("timeout", () => fail(`nothing for ${probeMs / 1000} s`));
    socket.on("error", (error) => fail(error.message));
  });
}

function mismatch(pin: string, found: string): string {
  return (
    `the coordinator's certificate has the fingerprint ${found}, not ${pin} as given; nothing was sent. Compare with ` +
    "what the coordinator printed when it started: either it has a new certificate, or something else answers at its address"
  );
}
