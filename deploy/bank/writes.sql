-- One move of the demo bank, drawn by chance: pgbench runs this script over and over.
-- Every fifth move belongs to one of the customers 1 to 10, so that there is something to watch.
\set busy random(1, 5)
\set customer random(1, 1000)
\if :busy = 1
\set customer random(1, 10)
\endif
\set cents random(100, 20000)
\set pick random(1, 6)
\set move random(1, 20)
\if :move <= 12
insert into card_transactions
select coalesce(max(id), 0) + 1, :customer, :customer * 10, :cents / 100.0,
  (array['groceries', 'travel', 'dining', 'entertainment', 'utilities', 'shopping'])[:pick], null, :cents % 2 = 0, now()
from card_transactions;
\elif :move <= 15
-- Up to 120,000, so that now and then somebody crosses the 100,000 that earn an offer.
update accounts set balance = :cents * 6 where id = :customer * 10 + 1;
\elif :move <= 17
begin;
update accounts set balance = balance - :cents / 100.0 where id = :customer * 10;
update accounts set balance = balance + :cents / 100.0 where id = :customer * 10 + 1;
commit;
\elif :move <= 19
update customers set city = (array['Berlin', 'Lyon', 'Milano', 'Porto', 'Turin', 'Wien'])[:pick] where id = :customer;
\else
-- A payment is called off.
delete from card_transactions where id = (select min(id) from card_transactions);
\endif
