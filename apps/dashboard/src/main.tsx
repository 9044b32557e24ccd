import { render } from "preact";
import { Dashboard } from "./dashboard.ts";
import { keepFocus } from "./view/focus.ts";
import { Page } from "./view/page.tsx";

const dashboard = new Dashboard();
dashboard.start();
const page = document.getElementById("page")!;
render(<Page dashboard={dashboard} />, page);
keepFocus(page);
