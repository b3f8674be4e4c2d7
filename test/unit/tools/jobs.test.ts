import { describe, expect, it } from "vitest";
import { takeInput } from "../../../src/mcp/input.ts";
import { missingScopes } from "../../../src/mcp/scopes.ts";
import { CATALOG } from "../../../src/mcp/catalog.ts";
import { botJobs } from "../../../src/tools/bot/jobs.ts";
import { jobsInput, scheduleOf } from "../../../src/tools/bot/jobs-input.ts";
import { scopesFor } from "../../../src/tools/tool.ts";

const ADD = { action: "add", name: "Watering", message: "Water the plants." };

function schedule(when: Record<string, unknown>) {
  return scheduleOf(jobsInput.parse({ ...ADD, ...when }));
}

function message(input: unknown) {
  return { method: "tools/call", params: { name: "bot_jobs", arguments: input } };
}

function refused(input: Record<string, unknown>): string {
  try {
    takeInput(botJobs, input);
  } catch (error) {
    return String(error);
  }
  return "taken";
}

describe("the arguments of bot_jobs", () => {
  it.each([
    [{ action: "list" }],
    [{ ...ADD, at: "2027-01-01T08:00:00+01:00" }],
    [{ ...ADD, every_minutes: 1, conversation: "plants" }],
    [{ ...ADD, cron: "0 8 * * 1-5", timezone: "Europe/Vienna" }],
    [{ action: "run", id: "0b7c" }],
    [{ action: "pause", id: "0b7c" }],
    [{ action: "resume", id: "0b7c" }],
    [{ action: "remove", id: "0b7c" }],
  ])("are taken: %j", (input) => {
    expect(refused(input)).toBe("taken");
  });

  it.each([
    [{}, /action must be one of list, add/],
    [{ action: "delete" }, /action must be one of list, add, run, pause, resume, remove/],
    [{ action: "list", id: "x" }, /id is not taken by list/],
    [{ action: "run" }, /id is missing: run needs it/],
    [{ action: "run", id: "../x" }, /id must be an id that list shows/],
    [{ action: "remove", id: "x", name: "y" }, /name is not taken by remove/],
    [{ ...ADD }, /must say when by exactly one of at, every_minutes, cron/],
    [{ ...ADD, every_minutes: 5, cron: "* * * * *" }, /exactly one/],
    [{ ...ADD, every_minutes: 5, timezone: "UTC" }, /timezone belongs to cron/],
    [{ ...ADD, every_minutes: 0 }, /every_minutes must be at least 1/],
    [{ ...ADD, every_minutes: 1.5 }, /every_minutes must be int/],
    [{ ...ADD, cron: "*/5 * * * * *" }, /cron must have five fields/],
    [{ ...ADD, cron: "every day" }, /cron must have five fields/],
    [{ ...ADD, cron: "0 8 * * *", timezone: "Mars/Base" }, /timezone must be an IANA time zone/],
    [{ ...ADD, at: "tomorrow" }, /at must be ISO 8601/],
    [{ ...ADD, at: "2027-01-01T08:00:00" }, /at must be ISO 8601 with seconds and a time zone/],
    [{ ...ADD, name: "a\nb", every_minutes: 5 }, /name must be one line of text/],
    [{ ...ADD, name: " ", every_minutes: 5 }, /name must be one line of text/],
    [{ ...ADD, message: " \n", every_minutes: 5 }, /message must not be empty/],
    [{ ...ADD, conversation: "Plants!", every_minutes: 5 }, /conversation must be 1 to 64/],
    [{ ...ADD, every_minutes: 5, colour: "red" }, /unknown argument colour/],
  ])("are refused with what is wrong: %j", (input, wanted) => {
    expect(refused(input)).toMatch(wanted);
  });

  it("say one schedule", () => {
    expect(schedule({ every_minutes: 7 })).toEqual({ everyMinutes: 7 });
    expect(schedule({ at: "2027-01-01T08:00:00Z" })).toEqual({ at: "2027-01-01T08:00:00Z" });
    expect(schedule({ cron: "0 8 * * *" })).toEqual({ cron: "0 8 * * *" });
  });
});

describe("the permission a call of bot_jobs needs", () => {
  it("is chat to look, and control as well to change", () => {
    expect(scopesFor(botJobs, { action: "list" })).toEqual(["chat"]);
    for (const action of ["add", "run", "pause", "resume", "remove"]) {
      expect(scopesFor(botJobs, { action })).toEqual(["chat", "control"]);
    }
  });

  it.each([undefined, null, "add", ["add"], { action: ["add"] }, { action: "__proto__" }, { action: "toString" }])(
    "is chat for arguments that say nothing: %j",
    (input) => expect(scopesFor(botJobs, input)).toEqual(["chat"]),
  );

  it("is known before the call is made", () => {
    expect(missingScopes(message({ action: "list" }), CATALOG, ["chat"])).toEqual([]);
    expect(missingScopes(message({ action: "add" }), CATALOG, ["chat"])).toEqual(["control"]);
    expect(missingScopes(message({ action: "add" }), CATALOG, ["control"])).toEqual(["chat"]);
    expect(missingScopes(message({ action: "add" }), CATALOG, ["chat", "control"])).toEqual([]);
  });
});
