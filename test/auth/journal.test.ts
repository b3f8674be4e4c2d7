import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { TestClient, tokensIn } from "./client.ts";
import { type AuthStack, authStack, OWNER } from "./stack.ts";

let stack: AuthStack;
beforeAll(async () => {
  stack = await authStack();
});
afterAll(() => stack.close());

const entrySchema = z.object({
  kind: z.string(),
  principal: z.string(),
  client: z.string().optional(),
  action: z.string(),
  outcome: z.string(),
  detail: z.record(z.string(), z.unknown()).optional(),
});

/** What the journal has of a client, the oldest first. */
async function journalOf(client: string) {
  const text = await (await fetch(`${stack.url}/test/journal?client=${client}`)).text();
  return z
    .object({ entries: z.array(entrySchema) })
    .parse(JSON.parse(text))
    .entries.toReversed();
}

it("keeps each step of a login, from the page to the refusal of a refresh", async () => {
  const client = await TestClient.register(stack.url);
  const handle = await client.handle();
  await client.decide({ handle, decision: "deny" });
  const first = tokensIn(await client.exchange(await client.code(["chat", "exec"])));
  const second = tokensIn(await client.refresh(first.refresh_token));
  stack.issuer.endSessions(OWNER.email);
  await client.refresh(second.refresh_token);

  const steps = async () => (await journalOf(client.id)).map(({ action, outcome }) => `${action} ${outcome}`);
  await expect
    .poll(steps, { timeout: 30_000 })
    .toEqual([
      "begin ok",
      "consent denied",
      "begin ok",
      "consent ok",
      "sign_in ok",
      "token ok",
      "refresh ok",
      "refresh forbidden",
    ]);
  const entries = await journalOf(client.id);
  const [principal = ""] = first.access_token.split(":");
  expect(entries.map((entry) => entry.principal)).toEqual([
    ...Array.from({ length: 4 }, () => "unknown"),
    ...Array.from({ length: 4 }, () => principal),
  ]);
  expect(entries[3]?.detail).toEqual({ scope: "chat exec" });
  const text = JSON.stringify(entries);
  for (const secret of [OWNER.email, first.refresh_token, second.access_token, handle])
    expect(text).not.toContain(secret);
});
