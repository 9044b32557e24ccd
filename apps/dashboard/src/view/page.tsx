import { api } from "../api.ts";
import type { Dashboard, Link } from "../dashboard.ts";
import { clockTime } from "../format.ts";
import { link as to } from "../place.ts";
import { words } from "../words.ts";
import { ClientsView } from "./clients-view.tsx";
import { CompareView } from "./compare-view.tsx";
import { KeyForm } from "./key-form.tsx";
import { Mark } from "./mark.tsx";
import { NewRunView } from "./new-run-view.tsx";
import { RoundView } from "./round-view.tsx";
import { RunView } from "./run-view.tsx";
import { RunsView } from "./runs-view.tsx";

/** The operator's page: whatever its address names. */
export function Page({ dashboard }: { dashboard: Dashboard }) {
  const link = dashboard.link.value;
  const { view } = dashboard.place.value;
  const locked = link === "key needed" || link === "key refused";
  const fault = dashboard.fault.value;
  const lostAt = dashboard.lostAt.value;
  return (
    <>
      <header>
        <p class="brand">
          <Mark />
          <a href={to.runs()}>Tributary</a>
        </p>
        <nav aria-label={words.pages}>
          <a href={to.runs()} aria-current={view === "runs" ? "page" : undefined}>
            {words.runs}
          </a>
          <a href={to.clients()} aria-current={view === "clients" ? "page" : undefined}>
            {words.clients}
          </a>
          <a href={to.fresh()} aria-current={view === "new" ? "page" : undefined}>
            {words.newRun}
          </a>
        </nav>
        <LinkState link={link} />
      </header>
      <p class="unseen" role="status">
        {dashboard.said.value}
      </p>
      {fault === undefined ? null : (
        <p class="banner fault" role="alert">
          <span>
            <strong>{words.problem}.</strong> {fault}
          </span>
          <button type="button" class="secondary" onClick={() => (dashboard.fault.value = undefined)}>
            {words.dismiss}
          </button>
        </p>
      )}
      {link === "lost" && lostAt !== undefined ? (
        <p class="banner lost" role="status">
          {words.stale(clockTime(lostAt))}
        </p>
      ) : null}
      <main>
        {locked ? <KeyForm dashboard={dashboard} refused={link === "key refused"} /> : <View {...{ dashboard }} />}
      </main>
      <footer>
        <nav aria-label={words.elsewhere}>
          <a href="./join/">{words.join}</a>
          <a href="./docs/">{words.api}</a>
          {api.hasKey && !locked ? (
            <button type="button" class="inline" onClick={() => dashboard.useKey(undefined)}>
              {words.key.forget}
            </button>
          ) : null}
        </nav>
        <p>{words.build(BUILD_HASH)}</p>
      </footer>
    </>
  );
}

function View({ dashboard }: { dashboard: Dashboard }) {
  const place = dashboard.place.value;
  switch (place.view) {
    case "runs":
      return <RunsView dashboard={dashboard} />;
    case "run":
      return <RunView key={place.run} dashboard={dashboard} tab={place.tab} />;
    case "round":
      return <RoundView key={`${place.run} ${place.round}`} dashboard={dashboard} round={place.round} />;
    case "compare":
      return <CompareView dashboard={dashboard} runs={place.runs} />;
    case "new":
      return <NewRunView key={place.from} dashboard={dashboard} from={place.from} />;
    case "clients":
      return <ClientsView dashboard={dashboard} />;
    case "nowhere":
      return (
        <>
          <h1>{words.nowhere}</h1>
          <p>
            <a href={to.runs()}>{words.back}</a>
          </p>
        </>
      );
  }
}

function LinkState({ link }: { link: Link }) {
  const shown = { live: words.live, lost: words.reconnecting, connecting: words.connecting };
  const text = link in shown ? shown[link as keyof typeof shown] : "";
  return (
    <p class={`link ${link === "live" ? "good" : link}`} role="status">
      {text}
    </p>
  );
}
