import { words } from "../words.ts";

/** `host`: the coordinator's. */
export function Header({ host }: { host: string }) {
  return (
    <header>
      <p class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 5c6 2 9 6 11 11M28 5c-6 2-9 6-11 11M16 3v26" />
        </svg>
        {words.product}
        <span class="host">{host}</span>
      </p>
      <h1>{words.title}</h1>
      <p class="promise">{words.promise}</p>
    </header>
  );
}
