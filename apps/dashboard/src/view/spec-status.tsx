import type { Verdict } from "../spec/verdict.ts";
import { useSettled } from "../use-settled.ts";
import { fieldName, words } from "../words.ts";

const text = words.form;
const quietMs = 1_000;

/** What the status says, for who hears the page: once it has stood for a while, not at each keystroke. */
export function SpokenStatus({ verdict }: { verdict: Verdict }) {
  return (
    <p class="unseen" role="status">
      {useSettled(sentenceOf(verdict), quietMs)}
    </p>
  );
}

function sentenceOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case "valid":
      return text.valid;
    case "asked":
      return text.asked;
    case "unanswered":
      return `${text.unanswered} ${verdict.reason}`;
    case "faulty": {
      const faults = verdict.faults.map(({ path, detail }) => (path === "" ? detail : `${fieldName(path)}: ${detail}`));
      return `${text.faults(faults.length)} ${faults.join("; ")}`;
    }
  }
}

/** Whether the specification will do, or what is to be mended. */
export function SpecStatus({ verdict }: { verdict: Verdict }) {
  switch (verdict.kind) {
    case "valid":
      return <p class="good">{text.valid}</p>;
    case "asked":
      return <p class="soft">{text.asked}</p>;
    case "unanswered":
      return (
        <p>
          {text.unanswered} {verdict.reason}
        </p>
      );
    case "faulty":
      return (
        <>
          <p class="bad">{text.faults(verdict.faults.length)}</p>
          <ul>
            {verdict.faults.map(({ path, detail }) => (
              <li key={`${path} ${detail}`}>
                {path === "" ? null : <code>{path}</code>} {detail}
              </li>
            ))}
          </ul>
        </>
      );
  }
}
