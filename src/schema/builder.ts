import SchemaBuilder from "@pothos/core";
import type { Value } from "../cdc/change.ts";
import type { Context } from "../resolvers/context.ts";
import { scalars } from "./scalars.ts";

/** What Pothos needs to know: the context of resolvers, and what goes in and out of each scalar. */
export interface SchemaTypes {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    Decimal: { Input: string; Output: Value };
    BigInt: { Input: string; Output: Value };
    Double: { Input: number | string; Output: Value };
    DateTime: { Input: string; Output: Value };
    Date: { Input: string; Output: Value };
    Time: { Input: string; Output: Value };
    JsonText: { Input: string; Output: Value };
    Cursor: { Input: string; Output: string };
  };
}

/** The builder all declarations share: its context, its scalars, fields that are never null unless they say so. */
export type Builder = ReturnType<typeof createBuilder>;

/** A builder that knows the scalars and nothing else yet. */
export function createBuilder() {
  const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false });
  for (const scalar of scalars) {
    builder.addScalarType(scalar.name as "Decimal", scalar);
  }
  return builder;
}
