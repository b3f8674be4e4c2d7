import type { z } from "zod";
import type { Visitor } from "../auth/access.ts";
import type { Admin } from "./admin.ts";
import { take } from "./input.ts";

/** A request that has passed the guard. */
export interface Asked {
  admin: Admin;
  visitor: Visitor;
  request: Request;
}

/** GET looks, takes its input from the address, and starts nothing. POST changes something, and takes a JSON body. */
export type Method = "GET" | "POST";

export interface Route {
  method: Method;
  /** Behind /admin/api/. */
  path: string;
  /** The path is only how the addresses begin: the rest names something, and the route reads it. */
  below?: true;
  /** What is sent is no JSON: the route reads it, and takes its input from the address. */
  streamed?: true;
  /** JSON to answer with, or a Response that goes out as it is. Throws a Failure, also for input that it does not take. */
  answer(given: unknown, asked: Asked): Promise<unknown>;
}

/** A route is a value: its input is checked before it runs, and whatever is not in the schema is refused. */
export function route<Input extends z.ZodObject>(facts: {
  method: Method;
  path: string;
  below?: true;
  streamed?: true;
  input: Input;
  run: (input: z.output<Input>, asked: Asked) => Promise<unknown>;
}): Route {
  const { input, run, ...rest } = facts;
  return { ...rest, answer: async (given, asked) => await run(take(input, given), asked) };
}
