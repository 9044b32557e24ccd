/**
 * A paragraph that is read out when its text changes; empty where there is none. Preact writes an empty text anew each time
 * that it renders, so that what stands empty would be touched a hundred times a second.
 */
export function Live(props: { role: "alert" | "status"; class: string; text: string }) {
  return (
    <p class={props.class} role={props.role}>
      {props.text === "" ? null : props.text}
    </p>
  );
}
