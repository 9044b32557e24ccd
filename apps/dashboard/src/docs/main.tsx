import { signal } from "@preact/signals";
import { render } from "preact";
import { type OpenApi, Reference } from "./reference.tsx";

const document_ = signal<OpenApi | string | undefined>(undefined);

function Page() {
  return <Reference api={document_.value} />;
}

render(<Page />, document.getElementById("page")!);
try {
  const response = await fetch("../openapi.json");
  if (!response.ok) throw new Error(`status ${response.status}`);
  document_.value = (await response.json()) as OpenApi;
} catch (error) {
  document_.value = `The description of the API cannot be read (${(error as Error).message}).`;
}
