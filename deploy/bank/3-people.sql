-- A thousand customers with two accounts each: customer n has the accounts 10n and 10n + 1.
insert into customers
select n, first_name || ' ' || last_name, lower(first_name || '.' || last_name || n) || '@example.org', city,
  date '1950-01-01' + (n * 7919) % 18000, timestamptz '2015-01-01 09:00Z' + n * interval '3 days'
from generate_series(1, 1000) n,
  lateral (select
    (array['Ada', 'Bruno', 'Carla', 'Dario', 'Elena', 'Franz', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Karla'])[1 + n % 11] as first_name,
    (array['Amsel', 'Becker', 'Conti', 'Duval', 'Eriksen', 'Ferri', 'Gruber'])[1 + n % 7] as last_name,
    (array['Berlin', 'Lyon', 'Milano', 'Porto', 'Turin', 'Wien'])[1 + n % 6] as city) person;

insert into accounts
select n * 10 + second, n, (array['current', 'savings'])[1 + second], 'DE' || lpad((n * 10 + second)::text, 20, '0'),
  ((n * 104729 + second * 7) % 4000000) / 100.0, date '2015-01-02' + n * 3
from generate_series(1, 1000) n, generate_series(0, 1) second;
