import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

/** What has to outlive a restart, or every client of the Worker would be asked to sign in again after it. */
const KEPT = new Set(["RefreshToken", "Grant"]);

type Payload = Record<string, unknown>;

const entrySchema = z.object({ payload: z.record(z.string(), z.unknown()), until: z.number() });
const fileSchema = z.record(z.string(), entrySchema);
type Entry = z.output<typeof entrySchema>;

/** Far more than one machine's people need; the oldest go first. */
const MOST_ENTRIES = 5_000;

/** Storage for oidc-provider: in memory, and the few lasting things in `file`, which only this user can read. */
export function keptAdapter(file: string): (model: string) => object {
  const entries = readEntries(file);
  const save = () => {
    const lasting = [...entries].filter(([key]) => KEPT.has(modelOf(key)));
    const draft = `${file}.new`;
    writeFileSync(draft, JSON.stringify(Object.fromEntries(lasting)), { mode: 0o600 });
    renameSync(draft, file);
  };
  const find = (key: string): Payload | undefined => {
    const entry = entries.get(key);
    if (!entry || entry.until > Date.now()) return entry?.payload;
    entries.delete(key);
    return undefined;
  };
  const findBy = (model: string, field: string, value: string) => {
    const found = [...entries].find(([key, { payload }]) => modelOf(key) === model && payload[field] === value);
    return found && find(found[0]);
  };
  return (model) => {
    const changed = () => {
      if (KEPT.has(model)) save();
    };
    const keyOf = (id: string) => `${model}:${id}`;
    return {
      async upsert(id: string, payload: Payload, expiresIn?: number) {
        entries.delete(keyOf(id));
        entries.set(keyOf(id), { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Number.MAX_SAFE_INTEGER });
        for (const [key] of entries) {
          if (entries.size <= MOST_ENTRIES) break;
          entries.delete(key);
        }
        changed();
      },
      async find(id: string) {
        return find(keyOf(id));
      },
      async findByUid(uid: string) {
        return findBy(model, "uid", uid);
      },
      async findByUserCode(userCode: string) {
        return findBy(model, "userCode", userCode);
      },
      async consume(id: string) {
        const payload = find(keyOf(id));
        if (payload) payload.consumed = Math.floor(Date.now() / 1000);
        changed();
      },
      async destroy(id: string) {
        entries.delete(keyOf(id));
        changed();
      },
      async revokeByGrantId(grantId: string) {
        for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key);
        changed();
      },
    };
  };
}

function readEntries(file: string): Map<string, Entry> {
  try {
    return new Map(Object.entries(fileSchema.parse(JSON.parse(readFileSync(file, "utf8")))));
  } catch {
    // Not there yet, or broken: then everybody signs in again.
    return new Map();
  }
}

function modelOf(key: string): string {
  return key.slice(0, key.indexOf(":"));
}
