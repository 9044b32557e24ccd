/** What the page shows, as its address says after the `#`. */
export type Place =
  | { readonly view: "runs" }
  | { readonly view: "run"; readonly run: string; readonly tab: RunTab }
  | { readonly view: "round"; readonly run: string; readonly round: number }
  | { readonly view: "compare"; readonly runs: readonly string[] }
  | { readonly view: "new"; readonly from: string | undefined }
  | { readonly view: "clients" }
  | { readonly view: "nowhere" };

export const runTabs = ["overview", "rounds", "devices", "versions", "specification"] as const;
export type RunTab = (typeof runTabs)[number];

/** The place that an address's hash names. */
export function placeOf(hash: string): Place {
  const [view, id, part, round, ...more] = hash.replace(/^#\/?/, "").split("/");
  if (more.length > 0) return { view: "nowhere" };
  if (view === "" || view === undefined) return { view: "runs" };
  if (view === "clients" && id === undefined) return { view: "clients" };
  if (view === "new" && part === undefined) return { view: "new", from: id };
  if (view === "compare" && part === undefined) return { view: "compare", runs: (id ?? "").split(",").filter(Boolean) };
  if (view !== "runs" || id === undefined || id === "") return { view: view === "runs" && !id ? "runs" : "nowhere" };
  if (round !== undefined) {
    return part === "rounds" && /^[1-9]\d{0,8}$/.test(round)
      ? { view: "round", run: id, round: Number(round) }
      : { view: "nowhere" };
  }
  const tab = runTabs.find((known) => known === (part ?? "overview"));
  return tab === undefined ? { view: "nowhere" } : { view: "run", run: id, tab };
}

/** What a place's view is a view of: another one begins at its heading. A run's tabs are one view. */
export function subjectOf(place: Place): string {
  switch (place.view) {
    case "run":
      return `run ${place.run}`;
    case "round":
      return `round ${place.run} ${place.round}`;
    case "runs":
    case "compare":
    case "new":
    case "clients":
    case "nowhere":
      return place.view;
  }
}

/** Links to places. */
export const link = {
  runs: () => "#/",
  run: (run: string, tab: RunTab = "overview") => (tab === "overview" ? `#/runs/${run}` : `#/runs/${run}/${tab}`),
  round: (run: string, round: number) => `#/runs/${run}/rounds/${round}`,
  compare: (runs: readonly string[]) => `#/compare/${runs.join(",")}`,
  fresh: (from?: string) => (from === undefined ? "#/new" : `#/new/${from}`),
  clients: () => "#/clients",
} as const;
