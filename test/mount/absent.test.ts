import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_startWorker } from "wrangler";
import { startTestHost, type TestHost } from "../local/container-under-test.ts";

let host: TestHost;
let worker: Awaited<ReturnType<typeof unstable_startWorker>>;
beforeAll(async () => {
  host = await startTestHost();
  worker = await unstable_startWorker({
    config: fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url)),
    bindings: {
      CONTAINER_HOST_URL: { type: "plain_text", value: host.url },
      CONTAINER_HOST_TOKEN: { type: "plain_text", value: host.token },
    },
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "none",
      enableContainers: false,
    },
  });
  await worker.ready;
});
afterAll(async () => {
  await worker.dispose();
  await host[Symbol.asyncDispose]();
});

async function call(method: string, ...args: unknown[]): Promise<unknown> {
  const body = JSON.stringify(args);
  return await (await fetch(new URL(method, await worker.url), { method: "POST", body })).json();
}

describe("a container whose folder for large files cannot be mounted", () => {
  it("is used all the same, and its status says what is missing", async () => {
    expect(await call("folderStatus")).toEqual({ ok: true, value: { path: "/files" } });
    expect(await call("shell", "echo works", {})).toMatchObject({ ok: true, value: { stdout: "works\n" } });
    expect(await call("folderStatus")).toEqual({
      ok: true,
      value: { path: "/files", problem: expect.stringMatching(/^The folder \/files is not there: .*ContainerProxy/) },
    });
    expect(await call("putFile", "/workspace/a.txt", "kept", "utf-8")).toMatchObject({ ok: true });
    // Nothing is written to where it would be lost.
    expect(await call("putFile", "/files/a.txt", "lost", "utf-8")).toMatchObject({ ok: false });
  });
});
