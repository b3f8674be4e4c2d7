import { defineConfig } from "vitest/config";

// A busy machine takes its time: what is waited for is waited for long, and costs nothing when it comes at once.
const shared = { environment: "node", expect: { poll: { timeout: 60_000 } } } as const;

/** Unit tests run side by side; the others start real gateways, and two cores carry one of those at a time. */
export default defineConfig({
  test: {
    // What a passing test logs is of no use to anyone.
    silent: "passed-only",
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/gateway/**/*.test.ts", "test/architecture.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          name: "parts",
          include: ["test/*/**/*.test.ts"],
          exclude: ["test/{unit,gateway,e2e,long,docker}/**"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        // Not part of `npm test`: what takes an hour.
        test: { ...shared, name: "long", include: ["test/long/**/*.test.ts"], fileParallelism: false },
      },
      {
        // Not part of `npm test`: what needs a Docker engine. `npm run test:docker`.
        test: {
          ...shared,
          name: "docker",
          include: ["test/docker/**/*.test.ts"],
          globalSetup: ["test/docker/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...shared,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
