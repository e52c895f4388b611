-- The demo bank, as a team that knows nothing of customer360 would have made it.
create table customers (
  id bigint primary key,
  full_name text not null,
  email text,
  city text,
  birth_date date,
  created_at timestamptz not null
);
-- Kept out of line and uncompressed: an update of another column does not carry it.
alter table customers alter column full_name set storage external;
create table accounts (
  id bigint primary key,
  customer_id bigint not null,
  kind text not null,
  iban text,
  balance numeric(14, 2) not null,
  opened_on date not null
);
-- The connector is asked for a snapshot of a table by a row in here.
create table debezium_signal (id text primary key, type text not null, data text);
