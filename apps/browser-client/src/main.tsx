import { render } from "preact";
import { addressOf, confine } from "./address.ts";
import { PageState } from "./page-state.ts";
import { BadAddress } from "./view/bad-address.tsx";
import { Insecure } from "./view/insecure.tsx";
import { Page } from "./view/page.tsx";

const root = document.getElementById("page")!;
const address = addressOf(location);
if (!isSecureContext) render(<Insecure />, root);
else if (address === undefined) render(<BadAddress />, root);
else {
  confine(document, address);
  const state = new PageState(address);
  render(<Page state={state} />, root);
  state.start();
}
