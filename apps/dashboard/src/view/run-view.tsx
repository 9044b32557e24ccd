import { useSignal } from "@preact/signals";
import type { RunRecord } from "@tributary/protocol";
import { type Action, actionsFor, type Dashboard } from "../dashboard.ts";
import { link, type RunTab, runTabs } from "../place.ts";
import { words } from "../words.ts";
import { CommandButton } from "./command-button.tsx";
import { Confirm, type Question } from "./confirm.tsx";
import { NoRun } from "./no-run.tsx";
import { Phase, Protection } from "./run-badges.tsx";
import { RunDevices } from "./run-devices.tsx";
import { RunOverview } from "./run-overview.tsx";
import { RunReason } from "./run-reason.tsx";
import { RunRounds } from "./run-rounds.tsx";
import { RunSpecification } from "./run-specification.tsx";
import { RunVersions } from "./run-versions.tsx";

/** One run: what can be done with it, how it goes, and everything behind it. */
export function RunView({ dashboard, tab }: { dashboard: Dashboard; tab: RunTab }) {
  const run = dashboard.run.value;
  if (run === undefined) return <NoRun dashboard={dashboard} />;
  return (
    <article>
      <RunHeading run={run} dashboard={dashboard} />
      <nav class="tabs" aria-label={words.tabs.label}>
        {runTabs.map((name) => (
          <a key={name} href={link.run(run.run, name)} aria-current={name === tab ? "page" : undefined}>
            {words.tabs[name]}
          </a>
        ))}
      </nav>
      <Tab {...{ run, dashboard, tab }} />
    </article>
  );
}

function Tab({ run, dashboard, tab }: { run: RunRecord; dashboard: Dashboard; tab: RunTab }) {
  switch (tab) {
    case "overview":
      return <RunOverview run={run} dashboard={dashboard} />;
    case "rounds":
      return <RunRounds run={run} dashboard={dashboard} />;
    case "devices":
      return <RunDevices run={run} dashboard={dashboard} />;
    case "versions":
      return <RunVersions run={run} dashboard={dashboard} />;
    case "specification":
      return <RunSpecification run={run} />;
  }
}

function RunHeading({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  return (
    <div class="heading">
      <p class="crumbs">
        <a href={link.runs()}>{words.runs}</a> <span class="soft">/ {run.run}</span>
      </p>
      <div class="title">
        <h1>{run.name}</h1>
        <Phase run={run} />
        <Protection run={run} />
        <Actions run={run} dashboard={dashboard} />
      </div>
      <RunReason run={run} />
    </div>
  );
}

function Actions({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const asked = useSignal<Question | undefined>(undefined);
  const underWay = dashboard.underWay.value.get(run.run);
  const carryOut = (action: Action) => void dashboard.command(action, run.run);
  const ask = (action: Action) => {
    if (action !== "stop") return carryOut(action);
    asked.value = { ...words.stopping, onYes: () => carryOut("stop") };
  };
  return (
    <div class="actions end">
      {actionsFor(run).map((action) => (
        <CommandButton
          key={action}
          class={action === "stop" || action === "pause" ? "secondary" : ""}
          isHeld={underWay !== undefined}
          onPress={() => ask(action)}
        >
          {underWay === action ? words.acting[action] : words.action[action]}
        </CommandButton>
      ))}
      <Confirm asked={asked.value} onClose={() => (asked.value = undefined)} />
    </div>
  );
}
