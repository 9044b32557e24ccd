/** Which coordinator this page works for, and who served the page's code. */
export interface Address {
  /** Base URL. */
  readonly coordinator: string;
  /** `independent`: somebody other than the coordinator, so that a dishonest coordinator cannot change the code. */
  readonly code: "coordinator" | "independent";
  /** The operator's Ed25519 key in base64 (`?operator-key=`): only devices on a roster that it signed count then. */
  readonly operatorKey?: string;
}

/** A part of the page's address that says nothing usable. */
export interface BadAddress {
  readonly fault: "coordinator" | "operatorKey";
  readonly found: string;
}

/**
 * The address that a page at `location` is for: its `?coordinator=URL`, or the origin that it came from. Or what is wrong
 * with it: the parameter is not an http(s) address, or `operator-key` no key.
 */
export function addressOf(location: { readonly origin: string; readonly search: string }): Address | BadAddress {
  const query = new URLSearchParams(location.search);
  // A plus in a query stands for a space.
  const operatorKey = query.get("operator-key")?.replaceAll(" ", "+");
  if (operatorKey !== undefined && !/^[A-Za-z0-9+/]{43}=$/.test(operatorKey)) {
    return { fault: "operatorKey", found: operatorKey };
  }
  const trusted = operatorKey === undefined ? {} : { operatorKey };
  const asked = query.get("coordinator");
  if (asked === null) return { coordinator: location.origin, code: "coordinator", ...trusted };
  const bad: BadAddress = { fault: "coordinator", found: asked };
  if (!URL.canParse(asked)) return bad;
  const { protocol, origin, pathname, username, search, hash } = new URL(asked);
  if (!/^https?:$/.test(protocol) || username !== "" || search !== "" || hash !== "") return bad;
  const coordinator = `${origin}${pathname}`.replace(/\/+$/, "");
  return { coordinator, code: origin === location.origin ? "coordinator" : "independent", ...trusted };
}

/**
 * Takes from this document the right to talk to anyone but its own origin and the coordinator, whatever policy its host
 * sent: a policy can only be narrowed, and never widened again. Blobs are what it made itself, as WebAssembly's files.
 */
export function confine(document: Document, { coordinator }: Address): void {
  const { origin } = new URL(coordinator);
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = `connect-src 'self' blob: ${origin} ${origin.replace(/^http/, "ws")}; form-action 'none'; base-uri 'none'`;
  document.head.append(policy);
}
