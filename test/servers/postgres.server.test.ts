import { expect, test } from "vitest";
import { describeServer, needsOurOwn } from "./describe-server.ts";
import { answers } from "./ports.ts";
import { startPostgres } from "./postgres.ts";

describeServer("PostgreSQL", { needs: ["postgres"], start: (use) => use(startPostgres()) }, (postgres) => {
  test("a connector can read its changes: the log is a logical one", async () => {
    expect(await postgres().sql("show wal_level")).toBe("logical");
  });

  test("what was committed is there after kill -9 of all its processes", async (context) => {
    needsOurOwn(context, postgres());
    await postgres().sql(
      "create table kept (id int primary key, name text); insert into kept values (1, 'Åse|')",
    );
    await postgres().kill();
    expect(await answers(postgres().port)).toBe(false);
    await postgres().restart();
    expect(await postgres().sql("select * from kept")).toBe("1|Åse|");
  });

  test("a frozen server answers nothing, on open connections too, until it is thawed", async (context) => {
    needsOurOwn(context, postgres());
    const slow = postgres().sql("select pg_sleep(0.3), 'done'");
    postgres().freeze();
    const early = await Promise.race([slow, new Promise((resolve) => setTimeout(resolve, 600, "nothing"))]);
    expect(early).toBe("nothing");
    postgres().thaw();
    expect(await slow).toBe("|done");
  });

  test("what it objects to is thrown", async () => {
    await expect(postgres().sql("select 1; select nonsense")).rejects.toThrow(
      'column "nonsense" does not exist',
    );
  });
});
