import { expect, test } from "vitest";
import { describeServer, needsOurOwn } from "./describe-server.ts";
import { startMariadb } from "./mariadb.ts";
import { answers } from "./ports.ts";

describeServer("MariaDB", { needs: ["mariadb"], start: (use) => use(startMariadb()) }, (mariadb) => {
  test("a connector can read its changes: the binary log has whole rows", async () => {
    const settings = "select @@log_bin, @@binlog_format, @@binlog_row_image";
    expect(await mariadb().sql(settings)).toBe("1\tROW\tFULL");
  });

  test("what was committed is there after kill -9", async (context) => {
    needsOurOwn(context, mariadb());
    await mariadb().sql(
      "create table kept (id int primary key, name text); insert into kept values (1, 'Åse')",
    );
    await mariadb().kill();
    expect(await answers(mariadb().port)).toBe(false);
    await mariadb().restart();
    expect(await mariadb().sql("select * from kept")).toBe("1\tÅse");
  });

  test("a frozen server answers nothing until it is thawed", async (context) => {
    needsOurOwn(context, mariadb());
    mariadb().freeze();
    const answer = mariadb().sql("select 'done'");
    const early = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300, "nothing"))]);
    expect(early).toBe("nothing");
    mariadb().thaw();
    expect(await answer).toBe("done");
  });

  test("what it objects to is thrown", async () => {
    await expect(mariadb().sql("select nonsense")).rejects.toThrow("Unknown column 'nonsense'");
  });
});
