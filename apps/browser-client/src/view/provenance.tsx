import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Address } from "../address.ts";
import { buildHash } from "../build-hash.ts";
import { words } from "../words.ts";

/** Which build of the page this is, who served it, and what follows from that. */
export function Provenance({ address: { coordinator, code } }: { address: Address }) {
  const hash = useSignal<string | undefined>(undefined);
  useEffect(() => {
    buildHash().then(
      (found) => (hash.value = found),
      () => (hash.value = words.code.unknown),
    );
  }, [hash]);
  const { title, coordinator: fromIt, independent, build, check, command } = words.code;
  const host = new URL(coordinator).host;
  return (
    <footer>
      <section aria-labelledby="code">
        <h2 id="code">{title}</h2>
        <p>{code === "coordinator" ? fromIt(host) : independent(location.host, host)}</p>
        <p class="hint">
          {build}: <code class="hash">{hash.value ?? "…"}</code>
        </p>
        <p class="hint">
          {check} <code>{command(new URL(".", document.baseURI).href)}</code>
        </p>
      </section>
    </footer>
  );
}
