import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, createServer as createTcpServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isPublicAddress } from "../../local/container/address.ts";
import { createEgressProxy } from "../../local/container/egress.ts";
import { startTestHost, type TestContainer, type TestHost } from "./container-under-test.ts";

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen");
  return address.port;
}

describe("which addresses are public", () => {
  test.each(["1.1.1.1", "8.8.8.8", "104.16.132.229", "2606:4700::6810:84e5", "2001:4860:4860::8888"])(
    "%s is",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "localhost",
    "0x7f.1",
    "2130706433",
    "",
  ])("%j is not", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test("no address of this machine is, whatever it looks like", () => {
    for (const { address } of Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])) {
      expect(isPublicAddress(address)).toBe(false);
    }
  });
});

describe("the proxy", () => {
  const PUBLIC = "93.184.215.14";
  const asked: string[] = [];
  const dialled: string[] = [];
  const origin = createServer((request, response) => {
    response.end(`origin got ${request.method} ${request.url} for ${request.headers.host}`);
  });
  const entrance = createTcpServer({ allowHalfOpen: true });
  /** The name server's answers: for `rebinds.test` another one each time. */
  const answers: Record<string, string[][]> = {
    "public.test": [[PUBLIC]],
    "rebinds.test": [[PUBLIC], ["127.0.0.1"]],
    "mixed.test": [[PUBLIC, "10.0.0.1"]],
    "inside.test": [["127.0.0.1"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
  };

  beforeAll(async () => {
    origin.listen(0, "127.0.0.1");
    entrance.listen(0, "127.0.0.1");
    await Promise.all([once(origin, "listening"), once(entrance, "listening")]);
    const proxy = createEgressProxy({
      log: () => undefined,
      resolve: async (host) => {
        asked.push(host);
        const next = answers[host];
        return (next !== undefined && next.length > 1 ? next.shift() : next?.[0]) ?? [];
      },
      dial: (address, port) => {
        dialled.push(`${address}:${port}`);
        return connect(portOf(origin), "127.0.0.1");
      },
    });
    entrance.on("connection", proxy);
  });

  afterAll(() => {
    origin.close();
    entrance.close();
  });

  async function send(head: string): Promise<string> {
    const socket = connect({ port: portOf(entrance), host: "127.0.0.1", allowHalfOpen: true });
    socket.write(head);
    const answer = await text(socket);
    socket.destroy();
    return answer;
  }

  test("forwards plain HTTP in absolute form", async () => {
    const answer = await send(
      "GET http://public.test/path?q HTTP/1.1\r\nHost: public.test\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toContain("origin got GET /path?q for public.test");
    expect(dialled.at(-1)).toBe(`${PUBLIC}:80`);
  });

  test("opens a tunnel with CONNECT", async () => {
    const socket = connect(portOf(entrance), "127.0.0.1");
    socket.write("CONNECT public.test:443 HTTP/1.1\r\nHost: public.test:443\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 200/);
    expect(dialled.at(-1)).toBe(`${PUBLIC}:443`);
    socket.write("GET / HTTP/1.1\r\nHost: tunnelled\r\nConnection: close\r\n\r\n");
    expect(await text(socket)).toContain("origin got GET / for tunnelled");
  });

  test("resolves a name once, and dials what it has checked", async () => {
    asked.length = 0;
    await send("GET http://rebinds.test/ HTTP/1.1\r\nHost: rebinds.test\r\nConnection: close\r\n\r\n");
    expect([asked, dialled.at(-1)]).toEqual([["rebinds.test"], `${PUBLIC}:80`]);
  });

  test.each([
    "mixed.test:443",
    "inside.test:443",
    "mapped.test:443",
    "unknown.test:443",
    "127.0.0.1:443",
    "10.0.0.1:443",
    "169.254.169.254:80",
    "[::ffff:127.0.0.1]:443",
    "[::1]:443",
    "2130706433:443",
    "0x7f000001:443",
    "0177.0.0.1:443",
  ])("refuses CONNECT %s with 403 and a reason", async (target) => {
    const before = dialled.length;
    const answer = await send(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 403/);
    expect(answer).toMatch(/is not a public address|does not resolve/);
    expect(dialled.length).toBe(before);
  });

  test("reaches the private hosts it was told of, and no other port or spelling of them", async () => {
    const reached: string[] = [];
    const proxy = createEgressProxy({
      privateHosts: ["inside.test:8080", "10.0.0.1"],
      log: () => undefined,
      resolve: async () => ["127.0.0.1"],
      dial: (address, port) => {
        reached.push(`${address}:${port}`);
        return connect(portOf(origin), "127.0.0.1");
      },
    });
    const door = createTcpServer({ allowHalfOpen: true }, proxy);
    door.listen(0, "127.0.0.1");
    await once(door, "listening");
    try {
      for (const host of ["inside.test:8080", "inside.test:81", "other.test:8080", "10.0.0.1:5", "127.0.0.1:8080"]) {
        const socket = connect({ port: portOf(door), host: "127.0.0.1", allowHalfOpen: true });
        socket.write(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        await text(socket);
        socket.destroy();
      }
      expect(reached).toEqual(["127.0.0.1:8080", "10.0.0.1:5"]);
    } finally {
      door.close();
    }
  });

  test("understands nothing else", async () => {
    expect(await send("GET /path HTTP/1.1\r\nHost: public.test\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 400/,
    );
    expect(await send("GET https://public.test/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 400/,
    );
    expect(await send("CONNECT :::: HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
  });
});

describe("from inside a container", () => {
  let host: TestHost;
  let box: TestContainer;
  const service = createServer((_request: IncomingMessage, response) => response.end("secret of the machine"));
  let port = 0;

  beforeAll(async () => {
    service.listen(0);
    await once(service, "listening");
    port = portOf(service);
    host = await startTestHost({
      egress: { allow: ["localhost", "*.example.com", "127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:7f00:1"] },
    });
    box = host.container("egress");
    await box.start();
  });

  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    service.close();
  });

  /** What the proxy answers to CONNECT, all of it. */
  const connectTo = (target: string) =>
    box.sh(
      `exec 3<>/dev/tcp/127.0.0.1/8791; printf 'CONNECT ${target} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; cat <&3`,
    );

  test("reaches no private address, by address or by a name that resolves to one", async () => {
    for (const target of ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"]) {
      const answer = await connectTo(`${target}:${port}`);
      expect(answer).toMatch(/^HTTP\/1.1 403/);
      expect(answer).toMatch(/is not a public address/);
    }
  });

  test("reaches no host that is not on the list, if there is one", async () => {
    expect(await connectTo("example.org:443")).toContain("example.org is not on the list");
    expect(await connectTo("notexample.com:443")).toContain("notexample.com is not on the list");
  });

  test("finds the proxy in its environment", async () => {
    const script = 'fetch("https://example.org/").catch((error) => console.log(error.cause.cause.message))';
    expect(await box.sh(`node -e '${script}'`)).toContain("Proxy response (403)");
  });

  test("resolves no name itself", async () => {
    await expect(box.sh("getent hosts example.com")).rejects.toThrow("exit code 2");
    expect(await box.sh("getent hosts localhost")).toContain("localhost");
  });
});
