import { type RunRecord, routes } from "@tributary/protocol";
import { link } from "../place.ts";
import { words } from "../words.ts";
import { behindRun, RestLinks } from "./rest.tsx";

/** What the run was created from. */
export function RunSpecification({ run }: { run: RunRecord }) {
  return (
    <>
      <section class="card">
        <div class="title">
          <h2>{words.specification.title}</h2>
          <a class="button secondary end" href={link.fresh(run.run)}>
            {words.specification.again}
          </a>
        </div>
        <p class="soft">{words.specification.hint}</p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
        <pre tabIndex={0}>{JSON.stringify(run.spec, null, 2)}</pre>
      </section>
      <RestLinks resources={[...behindRun(run), { method: "POST", path: routes.runs(), body: run.spec }]} />
    </>
  );
}
