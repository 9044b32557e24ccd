import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import type { Dashboard, Link } from "../dashboard.ts";
import { clockTime } from "../format.ts";
import { type Place, subjectOf, link as to } from "../place.ts";
import { words } from "../words.ts";
import { ClientsView } from "./clients-view.tsx";
import { CompareView } from "./compare-view.tsx";
import { focusHeading } from "./focus.ts";
import { KeyForm } from "./key-form.tsx";
import { Mark } from "./mark.tsx";
import { NewRunView } from "./new-run-view.tsx";
import { RoundView } from "./round-view.tsx";
import { RunView } from "./run-view.tsx";
import { RunsView } from "./runs-view.tsx";

/** The operator's page: whatever its address names. */
export function Page({ dashboard }: { dashboard: Dashboard }) {
  const link = dashboard.link.value;
  const place = dashboard.place.value;
  const { view } = place;
  const locked = link === "key needed" || link === "key refused";
  const fault = dashboard.fault.value;
  const lostAt = dashboard.lostAt.value;
  const subject = subjectOf(place);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) focusHeading();
    isFirst.current = false;
  }, [subject]);
  const title = titleOf(place, dashboard.run.value?.name);
  useEffect(() => {
    document.title = `${title} · Tributary`;
  }, [title]);
  return (
    <>
      <header>
        <a
          class="skip"
          href={location.hash === "" ? to.runs() : location.hash}
          onClick={(event) => {
            // The address says which view is shown: it is no place within one.
            event.preventDefault();
            focusHeading();
          }}
        >
          {words.skip}
        </a>
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
      <div class="banners">
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
        {link === "polled" ? (
          <p class="banner lost" role="status">
            {words.held}
          </p>
        ) : null}
      </div>
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

/** What a browser calls the page in its tab and its history. */
function titleOf(place: Place, name: string | undefined): string {
  switch (place.view) {
    case "runs":
      return words.runs;
    case "run":
      return `${words.tabs[place.tab]} · ${name ?? place.run}`;
    case "round":
      return `${words.roundView.title(place.round)} · ${name ?? place.run}`;
    case "compare":
      return words.compare.title;
    case "new":
      return words.newRun;
    case "clients":
      return words.clients;
    case "nowhere":
      return words.nowhere;
  }
}

function LinkState({ link }: { link: Link }) {
  const shown = { live: words.live, polled: words.polled, lost: words.reconnecting, connecting: words.connecting };
  const text = link in shown ? shown[link as keyof typeof shown] : "";
  return (
    <p class={`link ${link === "live" ? "good" : link}`} role="status">
      {text}
    </p>
  );
}
