import { useSignal } from "@preact/signals";
import type { LedgerEntry } from "@tributary/participant";
import type { Numbered, PageLedger } from "../ledger/ledger.ts";
import { bytesText, words } from "../words.ts";
import { Noise } from "./noise.tsx";
import { saveFile } from "./save-file.ts";

const pageful = 50;

/** Everything that left this device. */
export function LedgerSection({ ledger, isTakingPart }: { ledger: PageLedger; isTakingPart: boolean }) {
  const { title, about, noPicture } = words.ledger;
  if (!isTakingPart && ledger.withContent === 0) {
    // Folded up, for its growth to move nothing while a person reads and chooses.
    return (
      <section class="card ledger" aria-labelledby="ledger">
        <h2 id="ledger">{title}</h2>
        <details>
          <summary>{totalText(ledger)}</summary>
          <p class="hint">{about}</p>
          <Lists ledger={ledger} />
        </details>
      </section>
    );
  }
  const { pictured } = ledger;
  return (
    <section class="card ledger" aria-labelledby="ledger">
      <h2 id="ledger">{title}</h2>
      <p class="hint">{about}</p>
      <p class="total">{totalText(ledger)}</p>
      {pictured.value === undefined ? (
        <p class="noise hint">{noPicture}</p>
      ) : (
        <Noise portrait={pictured.value.portrait} title={pictureTitle(pictured.value.entry)} />
      )}
      <Lists ledger={ledger} />
    </section>
  );
}

function totalText({ count, bytes, masked }: PageLedger): string {
  const { nothing, total } = words.ledger;
  return count.value === 0 ? nothing : total(count.value, bytes.value, masked.value);
}

/** All of it, by kind and one by one, and the file to save. */
function Lists({ ledger }: { ledger: PageLedger }) {
  const shown = useSignal(pageful);
  const carrying = useSignal(false);
  if (ledger.count.value === 0) return null;
  const { newest, older, save, onlyCarrying, kinds: kindsTitle, partial, file } = words.ledger;
  const saveIt = async () => saveFile(file, new Blob([await ledger.export()], { type: "application/json" }));
  const entries = ledger.newest(shown.value + 1, carrying.value);
  const hasOlder = entries.length > shown.value;
  return (
    <>
      <h3 id="kinds">{kindsTitle}</h3>
      <Kinds ledger={ledger} />
      <h3 id="departures">{newest}</h3>
      <label class="tick">
        <input
          type="checkbox"
          checked={carrying.value}
          onChange={(event) => (carrying.value = event.currentTarget.checked)}
        />
        <span>{onlyCarrying}</span>
      </label>
      <Departures entries={entries.slice(0, shown.value)} />
      {ledger.isPartial && !hasOlder ? <p class="hint">{partial}</p> : null}
      <p class="buttons">
        {!hasOlder ? null : (
          <button type="button" class="secondary" onClick={() => (shown.value += pageful)}>
            {older}
          </button>
        )}
        <button type="button" class="secondary" onClick={() => void saveIt()}>
          {save}
        </button>
      </p>
    </>
  );
}

function Kinds({ ledger }: { ledger: PageLedger }) {
  const { columns } = words.ledger;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="scrolled" aria-labelledby="kinds" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{columns.kind}</th>
            <th scope="col" class="number">
              {columns.bytes}
            </th>
            <th scope="col" class="number">
              {columns.times}
            </th>
            <th scope="col">{columns.protection}</th>
          </tr>
        </thead>
        <tbody>
          {ledger.kinds.value.map(({ kind, protection, times, bytes }) => (
            <tr key={`${kind} ${protection}`}>
              <td>{kindText(kind)}</td>
              <td class="number">{bytesText(bytes)}</td>
              <td class="number">{times.toLocaleString("en")}</td>
              <td>{words.ledger.protections[protection]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Departures({ entries }: { entries: readonly Numbered[] }) {
  const { columns, protections } = words.ledger;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="scrolled departures" aria-labelledby="departures" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{columns.time}</th>
            <th scope="col">{columns.kind}</th>
            <th scope="col" class="number">
              {columns.bytes}
            </th>
            <th scope="col">{columns.protection}</th>
            <th scope="col">{columns.sha256}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ number, entry }) => (
            <tr key={number}>
              <td>
                <time dateTime={entry.time}>{new Date(entry.time).toLocaleTimeString("en-GB")}</time>
              </td>
              <td title={entry.destination}>
                {kindText(entry.kind)}
                {entry.round === undefined ? "" : words.ledger.round(entry.round)}
              </td>
              <td class="number">{entry.bytes.toLocaleString("en")}</td>
              <td>{protections[entry.protection]}</td>
              <td>
                <code title={entry.sha256}>{entry.sha256.slice(0, 16)}…</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function kindText(kind: string): string {
  const { kindNames } = words.ledger;
  return kind in kindNames ? kindNames[kind as keyof typeof kindNames] : kind;
}

function pictureTitle({ kind, round = 0, protection }: LedgerEntry): string {
  return words.ledger.picture(kindText(kind), round, protection === "masked");
}
