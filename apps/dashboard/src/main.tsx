import { render } from "preact";
import { Dashboard } from "./dashboard.ts";
import { Page } from "./view/page.tsx";

const dashboard = new Dashboard();
render(<Page dashboard={dashboard} />, document.getElementById("page")!);
dashboard.start();
