import { z } from "zod";
import { Failure, toFailure } from "../../core/failure.ts";
import { log } from "../../core/log.ts";
import { unwrap } from "../../core/reply.ts";
import type { MemoryWriter } from "../../memory/access.ts";
import { decodeBlob } from "../../memory/codec.ts";
import {
  blobNameSchema,
  entrySchema,
  type Entry,
  generationSchema,
  MOST_BLOB_BYTES,
  pathSchema,
  REASONS,
  shaSchema,
} from "../../memory/format.ts";
import type { MemoryStore } from "../../memory/store.ts";
import { readBody } from "./body.ts";

const MOST_JSON_BYTES = 16 * 1024 * 1024;
/** Trees read ahead of the one that is being sent. */
const TREES_AHEAD = 8;

/** What the keeper in the container may ask for. */
export interface StateBridge {
  memory: MemoryWriter;
  store: MemoryStore;
}

const fence = z.number().int().nonnegative();
const change = z
  .strictObject({ path: pathSchema, entry: entrySchema.nullable() })
  .refine(({ path, entry }) => entry === null || entry.path === path, "must name the entry's own path");
const changes = z.array(change).max(5_000);

const bodies = {
  head: z.strictObject({ fence }),
  want: z.strictObject({ fence, contents: z.array(shaSchema).max(1_000) }),
  stage: z.strictObject({ fence, changes }),
  commit: z.strictObject({
    fence,
    base: generationSchema.nullable(),
    reason: z.enum(REASONS),
    staged: z.number().int().nonnegative(),
    changes,
    oldestChangeAt: z.number(),
  }),
  report: z.strictObject({
    fence,
    problem: z.string().max(2_000).nullable(),
    skipped: z.array(z.strictObject({ path: z.string().max(2_048), reason: z.string().max(500) })).max(100),
  }),
  damaged: z.strictObject({ blob: blobNameSchema }),
};

/** `path` is what follows `/bridge/state`. Failures are JSON: {error: {code, message, hint}}. */
export async function handleState(request: Request, path: string, bridge: StateBridge): Promise<Response> {
  try {
    return await route(request, path, bridge);
  } catch (error) {
    const failure = toFailure(error);
    log("warn", "bridge.state", { path, outcome: failure.code, cause: failure.cause });
    return Response.json({ error: failure.view() }, { status: failure.status });
  }
}

async function route(request: Request, path: string, { memory, store }: StateBridge): Promise<Response> {
  const [, what = "", name = ""] = path.split("/");
  switch (`${request.method} ${what}`) {
    case "POST begin":
      return Response.json(unwrap(await memory.begin()));
    case "POST head":
      return Response.json(unwrap(await memory.head((await parsed(request, bodies.head)).fence)));
    case "POST want": {
      const { fence: of, contents } = await parsed(request, bodies.want);
      return Response.json(unwrap(await memory.want(of, contents)));
    }
    case "PUT blobs": {
      const blob = checked(blobNameSchema, name, "the name of a blob");
      const of = checked(z.coerce.number().int(), request.headers.get("x-fence"), "a fence");
      const stored = await readBody(request, MOST_BLOB_BYTES + 1024);
      decodeBlob(stored, blob);
      await store.putBlob(blob, stored);
      unwrap(await memory.stored(of, blob, stored.byteLength));
      return new Response(null, { status: 204 });
    }
    case "GET blobs": {
      const { body } = await store.rawBlob(checked(blobNameSchema, name, "the name of a blob"));
      // Without a type, for the development server compresses texts.
      return new Response(body, { headers: { "content-type": "application/octet-stream" } });
    }
    case "POST stage": {
      const { fence: of, changes: staged } = await parsed(request, bodies.stage);
      unwrap(await memory.stage(of, staged));
      return new Response(null, { status: 204 });
    }
    case "POST commit":
      return Response.json(unwrap(await memory.commit(await parsed(request, bodies.commit))));
    case "POST report": {
      const { fence: of, ...report } = await parsed(request, bodies.report);
      unwrap(await memory.report(of, report));
      return new Response(null, { status: 204 });
    }
    case "POST damaged": {
      const { blob } = await parsed(request, bodies.damaged);
      return Response.json(unwrap(await memory.damaged(blob)));
    }
    case "GET entries": {
      const { trees } = unwrap(await memory.manifest(checked(generationSchema, name, "a generation")));
      return await entriesOf(trees, store);
    }
    default:
      throw new Failure("not_found", "The state bridge has no such route.");
  }
}

/** One entry a line. A tree that cannot be read breaks the answer off, or is the answer when it is among the first. */
async function entriesOf(trees: readonly string[], store: MemoryStore): Promise<Response> {
  const ahead: Promise<Entry[]>[] = [];
  let next = 0;
  const readAhead = () => {
    const tree = trees[next];
    if (tree === undefined) return;
    next += 1;
    const reading = store.tree(tree);
    reading.catch(() => undefined);
    ahead.push(reading);
  };
  for (let n = 0; n < TREES_AHEAD; n++) readAhead();
  await Promise.all(ahead);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const reading = ahead.shift();
      if (!reading) {
        controller.close();
        return;
      }
      readAhead();
      const entries = await reading;
      controller.enqueue(encoder.encode(entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")));
    },
  });
  return new Response(body, { headers: { "content-type": "application/octet-stream" } });
}

async function parsed<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const body = await readBody(request, MOST_JSON_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new Failure("invalid_input", "The body is not JSON.", { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Failure(
    "invalid_input",
    `${issue?.path.map(String).join(".") ?? "The body"} ${issue?.message ?? "is not valid"}`,
  );
}

function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Failure("invalid_input", `The request does not name ${what}.`);
}
