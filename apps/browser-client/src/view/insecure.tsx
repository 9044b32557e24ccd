import { words } from "../words.ts";
import { Header } from "./header.tsx";

/** In place of everything else where the browser withholds what training needs. */
export function Insecure() {
  const { title, why, missing, what, ways } = words.insecure;
  return (
    <>
      <Header host={location.host} />
      <main>
        <section class="card notice" aria-labelledby="insecure">
          <h2 id="insecure">{title}</h2>
          <p>{why(location.origin)}</p>
          <ul>
            {missing.map((item) => (
              <li key={item}>{item}</li>
            ))}
          </ul>
          <p>{what}</p>
          <ul>
            {ways(location.port || "80").map((item) => (
              <li key={item}>{item}</li>
            ))}
          </ul>
        </section>
      </main>
    </>
  );
}
