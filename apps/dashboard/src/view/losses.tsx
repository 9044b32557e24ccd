import type { RoundSummary } from "@tributary/protocol";
import { count } from "../format.ts";
import { link } from "../place.ts";
import { words } from "../words.ts";

/** The newest rounds that lost a client are told of, as many as these. */
const mostRounds = 5;

/** At which step and why clients were lost, in the newest rounds in which any was; nothing where none was. */
export function Losses({ run, history }: { run: string; history: readonly RoundSummary[] }) {
  const rounds = history.filter(({ asked, survived }) => survived < asked).slice(-mostRounds);
  if (rounds.length === 0) return null;
  return (
    <section class="card" aria-label={words.losses.title}>
      <h2>{words.losses.title}</h2>
      <ul class="losses">
        {rounds.toReversed().map((round) => (
          <li key={round.round}>
            <a href={link.round(run, round.round)}>{words.roundView.title(round.round)}</a> {lossesText(round)}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** “2 at “update”: the device left”, for each step and reason. */
export function lossesText({ asked, survived, lost = [] }: RoundSummary): string {
  const parts = lost.map(({ clients, step, reason }) => words.losses.part(count(clients), step, reason));
  const others = asked - survived - lost.reduce((sum, { clients }) => sum + clients, 0);
  return [...parts, ...(others > 0 ? [words.losses.others(count(others))] : [])].join("; ");
}
