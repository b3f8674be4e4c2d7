import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { deadline, pause, raced } from "../../../src/core/deadline.ts";
import { Failure, toFailure } from "../../../src/core/failure.ts";
import { redact } from "../../../src/core/redact.ts";
import { reply, unwrap } from "../../../src/core/reply.ts";
import { shellLine } from "../../../src/core/shell.ts";

describe("quoting for a shell", () => {
  it("gives every argument back unchanged, whatever it contains", () => {
    const arguments_ = [
      "plain",
      "",
      "two words",
      "it's",
      `"double"`,
      "$(touch /tmp/never) `x` ; & | > < * ?",
      "new\nline",
      "-n",
      "\\",
      "ü✓",
    ];
    const output = execFileSync("bash", ["-c", `printf '%s\\0' ${shellLine(arguments_)}`], { encoding: "utf8" });
    expect(output.split("\0").slice(0, -1)).toEqual(arguments_);
  });
});

describe("redaction", () => {
  it("masks the shapes of credentials", () => {
    const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";
    expect(redact(`Authorization: Bearer abcdefgh12345678`)).toBe("Authorization: [redacted]");
    expect(redact(`key sk-ant-abcdefghijklmnop1234, jwt ${token}`)).toBe("key [redacted], jwt [redacted]");
  });
});

describe("a reply", () => {
  it("carries a failure's code and hint as data, but not its cause", async () => {
    const answer = await reply("test", () => {
      throw new Failure("not_found", "No such thing.", { hint: "Look elsewhere.", cause: "secret cause" });
    });
    expect(JSON.stringify(answer)).not.toContain("secret cause");
    expect(() => unwrap(answer)).toThrow(expect.objectContaining({ code: "not_found", hint: "Look elsewhere." }));
  });

  it("says nothing of an unexpected error's text", () => {
    expect(toFailure(new Error("password=hunter2")).message).not.toContain("hunter2");
  });
});

describe("deadlines", () => {
  it("fires with a timeout", async () => {
    using limit = deadline(5);
    await expect(raced(new Promise(() => {}), limit.signal)).rejects.toMatchObject({ code: "timeout" });
  });

  it("fires with its parent's reason", async () => {
    const parent = new AbortController();
    using limit = deadline(60_000, parent.signal);
    const waiting = pause(60_000, limit.signal);
    parent.abort(new Failure("cancelled", "Enough."));
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });
});
