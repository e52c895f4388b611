-- Apart from the others, so that a test can add it when everything runs already.
create table card_transactions (
  id bigint primary key,
  customer_id bigint not null,
  account_id bigint not null,
  amount numeric(14, 2) not null,
  category text not null,
  merchant text,
  online boolean not null,
  posted_at timestamptz not null
);
