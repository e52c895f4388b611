import type { Save, Store, Tally } from "../../store/store.ts";

/** What became of records, as counted by one process. */
export interface Account {
  readonly tallies: readonly Tally[];
  readonly quarantined: readonly {
    readonly table: string | null;
    readonly code: string;
    readonly count: number;
  }[];
}

/** A store that also keeps account of what is saved through it: the store's own counts have those of every process in them. */
export function keepingAccount(store: Store): { readonly store: Store; account(): Account } {
  const tallies = new Map<string, Tally>();
  const quarantined = new Map<string, Account["quarantined"][number]>();
  const note = ({ tallies: counted, quarantine }: Save): void => {
    for (const tally of counted) {
      const name = JSON.stringify([tally.table, tally.kind, tally.label]);
      tallies.set(name, { ...tally, count: tally.count + (tallies.get(name)?.count ?? 0) });
    }
    for (const { table, refusal } of quarantine) {
      const name = JSON.stringify([table, refusal.code]);
      quarantined.set(name, { table, code: refusal.code, count: 1 + (quarantined.get(name)?.count ?? 0) });
    }
  };
  return {
    store: {
      shared: store.shared,
      agreed: (name, proposal) => store.agreed(name, proposal),
      load: (request) => store.load(request),
      save: async (save) => {
        const saved = await store.save(save);
        note(save);
        return saved;
      },
      checkpoints: () => store.checkpoints(),
      outstanding: (nowMs, limit) => store.outstanding(nowMs, limit),
      holders: (table, after, limit) => store.holders(table, after, limit),
      close: () => store.close(),
    },
    account: () => ({ tallies: [...tallies.values()], quarantined: [...quarantined.values()] }),
  };
}
