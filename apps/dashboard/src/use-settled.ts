import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** A value as it was when it had last stayed the same for so long. */
export function useSettled<Value>(value: Value, ms: number): Value {
  const settled = useSignal(value);
  useEffect(() => {
    const timer = setTimeout(() => {
      settled.value = value;
    }, ms);
    return () => clearTimeout(timer);
  }, [value, ms, settled]);
  return settled.value;
}
