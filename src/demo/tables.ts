import { connector, type ConnectField } from "./debezium.ts";
import { text } from "./json.ts";

const column = (name: string, type: string, logical?: string): ConnectField => ({
  name,
  schema: {
    type: text(type),
    optional: String(name !== "id"),
    ...(logical === undefined ? {} : { name: text(logical), version: "1" }),
  },
});

const NUMERIC_2: ConnectField["schema"] = {
  type: text("bytes"),
  optional: "true",
  name: text("org.apache.kafka.connect.data.Decimal"),
  version: "1",
  parameters: '{"scale":"2","connect.decimal.precision":"18"}',
};

/** The customer register: schemas embedded, time zones kept. */
export const customersTable = connector({
  topic: "bank.public.customers",
  table: "customers",
  schemas: true,
  fields: [
    column("id", "int64"),
    column("full_name", "string"),
    column("email", "string"),
    column("city", "string"),
    column("birth_date", "int32", "io.debezium.time.Date"),
    column("created_at", "string", "io.debezium.time.ZonedTimestamp"),
  ],
});

/** Accounts: schemas embedded, so that numerics can travel as bytes (`decimal.handling.mode=precise`); REPLICA IDENTITY FULL. */
export const accountsTable = connector({
  topic: "bank.public.accounts",
  table: "accounts",
  schemas: true,
  fields: [
    column("id", "int64"),
    column("customer_id", "int64"),
    column("kind", "string", "io.debezium.data.Enum"),
    column("iban", "string"),
    { name: "balance", schema: NUMERIC_2 },
    column("opened_on", "int32", "io.debezium.time.Date"),
  ],
});

/**
 * Card transactions: no schemas, numerics as text (`decimal.handling.mode=string`);
 * default replica identity, so deletes carry only the id.
 */
export const cardTable = connector({
  topic: "bank.public.card_transactions",
  table: "card_transactions",
  schemas: false,
  fields: [],
});
