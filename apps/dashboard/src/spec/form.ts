import { belongs, isNeeded, runSpecSchemaFor } from "@tributary/catalog";
import { type Field, fieldOf, valueAt } from "./fields.ts";
import type { SchemaNode } from "./schema-node.ts";

/** The schema that a draft is filled in by, its algorithm's defaults in it. */
export const schemaFor = (spec: unknown) => runSpecSchemaFor(spec) as SchemaNode;

/** Every field that a draft has a place for, and those it has none for that hold something nevertheless. */
export function formOf(spec: unknown): Field {
  const place = (field: Field): Field => ({
    ...field,
    ...("fields" in field ? { fields: field.fields.filter(hasPlace).map(place) } : {}),
    ...(isNeeded(field.path, spec) ? { isOptional: false } : {}),
  });
  const hasPlace = ({ path }: Field) => belongs(path, spec) || valueAt(spec, path) !== undefined;
  return place(fieldOf("", schemaFor(spec), spec));
}
