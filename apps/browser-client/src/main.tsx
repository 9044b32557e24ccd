import { effect } from "@preact/signals";
import { render } from "preact";
import { addressOf, confine } from "./address.ts";
import { keepSweeping } from "./device/sweep.ts";
import { PageState } from "./page-state.ts";
import { nameOfTab } from "./tab.ts";
import { Insecure } from "./view/insecure.tsx";
import { Page } from "./view/page.tsx";
import { WrongAddress } from "./view/wrong-address.tsx";
import { findWorkerPolicies } from "./workers.ts";

const root = document.getElementById("page")!;
const address = addressOf(location);
if (!isSecureContext) render(<Insecure />, root);
else if ("fault" in address) render(<WrongAddress address={address} />, root);
else {
  confine(document, address);
  await findWorkerPolicies(address);
  const state = new PageState(address);
  render(<Page state={state} />, root);
  state.start();
  effect(() => state.part.value?.pause(state.use.paused.value !== undefined));
  await nameOfTab();
  void keepSweeping();
}
