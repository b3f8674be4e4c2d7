import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { releaseLeases } from "../../../container/keeper/leases.ts";

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "moltbot-leases-"));
  mkdirSync(join(state, "state"));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const open = () => new DatabaseSync(join(state, "state", "openclaw.sqlite"));

describe("what an earlier container's processes marked as theirs", () => {
  it("is taken back, and nothing else", () => {
    const before = open();
    before.exec("PRAGMA journal_mode = WAL; CREATE TABLE state_leases (scope TEXT, lease_key TEXT, owner TEXT)");
    before.exec("CREATE TABLE sessions (id TEXT); INSERT INTO sessions VALUES ('one')");
    before.exec("INSERT INTO state_leases VALUES ('gateway-owner', 'global', 'a container that is gone')");
    before.close();
    releaseLeases(state);
    const after = open();
    expect(after.prepare("SELECT count(*) AS count FROM state_leases").get()).toEqual({ count: 0 });
    expect(after.prepare("SELECT id FROM sessions").all()).toEqual([{ id: "one" }]);
    after.close();
  });

  it("may be nowhere: no database, or one that knows no such marks", () => {
    releaseLeases(state);
    const other = open();
    other.exec("CREATE TABLE sessions (id TEXT)");
    other.close();
    releaseLeases(state);
  });

  it("is an error where the database is none", () => {
    writeFileSync(join(state, "state", "openclaw.sqlite"), "no database at all, but some text that is long enough");
    expect(() => releaseLeases(state)).toThrow(/not a database/);
  });
});
