import { render } from "preact";
import { PageState } from "./page-state.ts";
import { Insecure } from "./view/insecure.tsx";
import { Page } from "./view/page.tsx";

const root = document.getElementById("page")!;
if (isSecureContext) {
  const state = new PageState();
  render(<Page state={state} />, root);
  state.start();
} else render(<Insecure />, root);
