import { z } from "zod";

/** The first request of a connection; all else of it goes on as it came. */
const connectFrame = z.looseObject({
  type: z.literal("req"),
  method: z.literal("connect"),
  params: z.looseObject({
    auth: z.looseObject({ token: z.string().optional(), deviceToken: z.string().optional() }).optional(),
  }),
});

/**
 * The browser's `connect` with the gateway's token in it, which the browser does not have. Undefined when it is none.
 *
 * The gateway takes its token as a password, too, and the password is the one credential that the browser's device does
 * not sign over (`resolveConnectSecret` and `resolveSignatureToken` in openclaw 2026.9.6). What the browser has of its own
 * from an earlier pairing it signs as `token`; under the name `deviceToken` the same signature holds, and it is not
 * taken for the gateway's.
 */
export function withGatewayToken(frame: string, gatewayToken: string): string | undefined {
  const parsed = connectFrame.safeParse(readJson(frame));
  if (!parsed.success) return undefined;
  const { params } = parsed.data;
  const { token, deviceToken, ...auth } = params.auth ?? {};
  const own = token ?? deviceToken;
  return JSON.stringify({
    ...parsed.data,
    params: {
      ...params,
      auth: { ...auth, ...(own === undefined ? {} : { deviceToken: own }), password: gatewayToken },
    },
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever it is, it is no request to connect.
    return undefined;
  }
}
