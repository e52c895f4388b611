import { decimalBytes, money, object, text, type Json } from "./json.ts";
import { patternsValue, checkingValue } from "./marketing-feed.ts";
import { wave, type Draws } from "./random.ts";

const DAY_MS = 86_400_000;
const FIRST =
  "Ada Bram Chloé Daan Elif Femke Goran Hana İpek Jan Kofi Lotte Mei Noor Otto Priya Quinn Rosa Søren Tomasz".split(
    " ",
  );
const LAST =
  "de Vries,Müller,Nguyen,Okafor,Jansen,García,Øst,Smith,Kowalska,Yılmaz,Rossi,Dubois,Bakker,Novák,Silva".split(
    ",",
  );
const CITIES = "Amsterdam Antwerpen Berlin Córdoba Gdańsk København Lisboa Lyon Malmö Torino".split(" ");
const CATEGORIES =
  "groceries groceries groceries dining dining shopping shopping travel utilities entertainment".split(" ");
const MERCHANTS: Readonly<Record<string, string>> = {
  groceries: "Korner Market",
  dining: "Café Zwart",
  shopping: "Bright & Co.",
  travel: "NordRail",
  utilities: "City Power",
  entertainment: "Paradiso",
};

/** Two customers in three have a second account and one in three a third: a savings pot that is emptied and opened anew. */
export function accountCount(customer: number): number {
  return 1 + (customer % 3);
}

/** The states of everything a customer has, each made from its version alone. Version -1 is what the snapshot saw. */
export interface People {
  customerId(customer: number): string;
  customerRow(customer: number, version: number): Json;
  /** An account's id beyond 2^53 for every seventh customer. A savings pot changes its id with each generation. */
  accountId(customer: number, account: number, generation: number): string;
  accountRow(customer: number, state: { account: number; version: number; generation: number }): Json;
  cardRow(customer: number, state: { version: number; atMs: number; corrected: boolean }): Json;
  patterns(customer: number, state: { version: number; atMs: number; anonymous: boolean }): Json;
  checking(customer: number, state: { version: number; atMs: number }): Json;
  /** How long before the bank's start the customer was first seen, milliseconds. */
  lifetimeMs(customer: number): number;
}

const CUSTOMER = 1;
const ACCOUNT = 2;
const CARD = 3;
const PATTERNS = 4;
const CHECKING = 5;

/** Pattern visits in a season; counters climb through it and start over. */
const SEASON = 24;

function personalia(draw: Draws, startMs: number) {
  return (customer: number, version: number): Json => {
    const first = FIRST[draw.below(FIRST.length, CUSTOMER, customer)] ?? "Ada";
    const last = LAST[draw.below(LAST.length, CUSTOMER, customer, 2)] ?? "Smith";
    const address = `customer${customer + 1}.v${version + 1}`;
    const city = CITIES[draw.below(CITIES.length, CUSTOMER, customer, version + 3)] ?? "Lyon";
    const joinedMs = startMs - draw.below(3_000, CUSTOMER, customer, 4) * DAY_MS;
    return object({
      id: String(customer + 1),
      full_name: text(`${first} ${last}`),
      email: text(draw.share(CUSTOMER, customer, version, 5) < 0.01 ? address : `${address}@example.com`),
      city: text(city),
      birth_date: String(draw.below(20_000, CUSTOMER, customer, 6) - 7_000),
      created_at: text(new Date(joinedMs).toISOString()),
    });
  };
}

function balanceCents(draw: Draws, customer: number, state: { account: number; version: number }): number {
  const wealthy = customer % 10 === 3 && state.account === 0;
  const base = wealthy ? 9_950_000 : draw.below(3_000_000, ACCOUNT, customer, state.account);
  const swing = wave(state.version + customer, 8) - 0.5;
  return (
    Math.round(base + swing * (wealthy ? 900_000 : 200_000)) +
    draw.below(9_999, ACCOUNT, customer, state.version + 2)
  );
}

function card(draw: Draws, people: Pick<People, "customerId" | "accountId">): People["cardRow"] {
  return (customer, { version, atMs, corrected }) => {
    const place = [CARD, customer, version] as const;
    const mean = 800 + 13_000 * wave(version + draw.below(60, CARD, customer), 60);
    const refund = draw.share(...place, 1) < 0.03;
    const cents = Math.round(mean * (0.3 + 1.4 * draw.share(...place, 2))) * (refund ? -1 : 1);
    const known = CATEGORIES[draw.below(CATEGORIES.length, ...place, 3)] ?? "dining";
    const broken = draw.share(...place, 4) < FAULTS.amountMissing;
    return object({
      id: String((customer + 1) * 1_000_000_000 + version),
      customer_id: people.customerId(customer),
      account_id: people.accountId(customer, 0, 0),
      amount: broken && !corrected ? "null" : text(money(corrected ? cents + 100 : cents)),
      category: text(draw.share(...place, 5) < FAULTS.categoryUnknown ? "misc" : known),
      merchant: text(MERCHANTS[known] ?? "Kiosk"),
      online: String(draw.share(...place, 6) < 0.4),
      posted_at: text(
        `${new Date(atMs).toISOString().slice(0, -1)}${String(draw.below(1_000, ...place, 7)).padStart(3, "0")}Z`,
      ),
    });
  };
}

function counters(draw: Draws): People["patterns"] {
  return (customer, { version, atMs, anonymous }) => {
    const turn = version + 1 + draw.below(SEASON, PATTERNS, customer);
    const season = Math.floor(turn / SEASON);
    const through = turn % SEASON;
    const bought = draw.share(PATTERNS, customer, season) < 0.2 && through >= SEASON - 4;
    const quiet = draw.share(PATTERNS, customer, season, 1) < 0.3;
    const busy = Math.floor(through * (quiet ? 0.35 : 0.7)) + draw.below(2, PATTERNS, customer, version + 2);
    const lost = draw.share(PATTERNS, customer, version + 3) < FAULTS.counterMissing;
    return patternsValue({
      customerId: anonymous ? null : String(customer + 1),
      concertTickets: Math.floor(through / 3),
      comedyShows: Math.floor(through / 5),
      sportEvents: 2 + Math.floor(through / 8),
      onlineTransactions: lost ? null : busy,
      mortgageMs: bought ? atMs - (through - (SEASON - 4)) * 60_000 : null,
      updatedMs: atMs,
    });
  };
}

function movements(draw: Draws): People["checking"] {
  return (customer, { version, atMs }) =>
    checkingValue({
      customerId: String(customer + 1),
      scheduled: customer % 2 === 1,
      cents: draw.below(9_900, CHECKING, customer, version + 1),
      debit: draw.share(CHECKING, customer, version + 1, 1) < 0.55,
      atMs,
      initialBalance: [0, 4, 8].includes(customer % 10) ? 150_000 : 10_000,
    });
}

/** Shares of records with something wrong in their content. */
export const FAULTS = {
  /** Card transactions without an amount: quarantined. */
  amountMissing: 0.002,
  /** Card transactions of a category nobody declared: warned about. */
  categoryUnknown: 0.01,
  /** Counter records whose online count is null: the tier UNKNOWN. */
  counterMissing: 0.01,
  /** Counter records that lost their customer: dropped. */
  customerMissing: 0.002,
} as const;

/** Everybody's things, from one source of draws. `startMs` is when the bank's life begins. */
export function people(draw: Draws, startMs: number): People {
  const customerId = (customer: number) => String(customer + 1);
  const accountId: People["accountId"] = (customer, account, generation) => {
    const small = (customer + 1) * 1_000_000 + account * 100_000 + generation;
    return customer % 7 === 6 ? String(9_007_199_254_740_993n + BigInt(small) * 2n) : String(small);
  };
  return {
    customerId,
    accountId,
    customerRow: personalia(draw, startMs),
    accountRow: (customer, state) =>
      object({
        id: accountId(customer, state.account, state.generation),
        customer_id: customerId(customer),
        kind: text(["current", "savings", "pot"][state.account] ?? "current"),
        iban: text(
          `NL${10 + (customer % 89)}BANK${String((customer + 1) * 10 + state.account).padStart(10, "0")}`,
        ),
        balance: text(decimalBytes(balanceCents(draw, customer, state))),
        opened_on: String(
          Math.floor(startMs / DAY_MS) -
            draw.below(3_000, ACCOUNT, customer, state.account, 1) +
            state.generation,
        ),
      }),
    cardRow: card(draw, { customerId, accountId }),
    patterns: counters(draw),
    checking: movements(draw),
    lifetimeMs: (customer) => (1 + draw.below(400, PATTERNS, customer, 0, 9)) * DAY_MS,
  };
}
