import type { BadAddress } from "../address.ts";
import { words } from "../words.ts";
import { Header } from "./header.tsx";

/** In place of everything else where the page's own address says something that cannot be. */
export function WrongAddress({ address: { fault, found } }: { address: BadAddress }) {
  const { title, form } = words.badAddress;
  return (
    <>
      <Header host={location.host} />
      <main>
        <section class="card notice" aria-labelledby="bad-address">
          <h2 id="bad-address">{title}</h2>
          <p>{words.badAddress[fault](found)}</p>
          <p>
            {form} <code>{`${location.origin}${location.pathname}?coordinator=https://federation.example:7600`}</code>
          </p>
        </section>
      </main>
    </>
  );
}
