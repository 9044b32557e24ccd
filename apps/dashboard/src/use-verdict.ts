import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Refused } from "./api.ts";
import type { Dashboard } from "./dashboard.ts";
import { faultsIn, faultsOf } from "./spec/faults.ts";
import { type Answer, type Verdict, verdictOf } from "./spec/verdict.ts";
import { useSettled } from "./use-settled.ts";

const settleMs = 400;

interface Judged {
  readonly verdict: Verdict;
  /** Creates the run; false where that was refused, and the verdict says why. */
  readonly create: () => Promise<boolean>;
}

/** What is wrong with a specification: by the page itself at once, by the coordinator when nobody has typed for a moment. */
export function useVerdict(dashboard: Dashboard, spec: unknown): Judged {
  const answer = useSignal<Answer | undefined>(undefined);
  const own = useMemo(() => faultsOf(spec), [spec]);
  const isSettled = useSettled(spec, settleMs) === spec;
  const link = dashboard.link.value;
  const isAsked = isSettled && own.length === 0 && link !== "connecting";
  // Also when the line is there again: what could not be asked then can be now.
  useEffect(() => {
    let isCurrent = true;
    if (isAsked) {
      void verdictBy(() => dashboard.check(spec)).then((verdict) => {
        if (isCurrent) answer.value = { spec, verdict };
      });
    }
    return () => {
      isCurrent = false;
    };
  }, [dashboard, spec, isAsked, link, answer]);
  const create = async () => {
    const verdict = await verdictBy(() => dashboard.create(spec));
    answer.value = { spec, verdict };
    return verdict.kind === "valid";
  };
  return { verdict: verdictOf(spec, own, answer.value), create };
}

/** What the coordinator says of a specification by taking or refusing it. */
async function verdictBy(send: () => Promise<void>): Promise<Verdict> {
  try {
    await send();
    return { kind: "valid" };
  } catch (error) {
    const { status, message } = error as Refused;
    const isOfSpec = status === 400 || status === 413 || status === 422;
    return isOfSpec ? { kind: "faulty", faults: faultsIn(error as Refused) } : { kind: "unanswered", reason: message };
  }
}
