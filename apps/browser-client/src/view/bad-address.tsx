import { words } from "../words.ts";
import { Header } from "./header.tsx";

/** In place of everything else where the page's own address names a coordinator that cannot be one. */
export function BadAddress() {
  const { title, why, form } = words.badAddress;
  return (
    <>
      <Header host={location.host} />
      <main>
        <section class="card notice" aria-labelledby="bad-address">
          <h2 id="bad-address">{title}</h2>
          <p>{why(new URLSearchParams(location.search).get("coordinator") ?? "")}</p>
          <p>
            {form} <code>{`${location.origin}${location.pathname}?coordinator=https://federation.example:7600`}</code>
          </p>
        </section>
      </main>
    </>
  );
}
