import type { z } from "zod";

type Value = string | number | null;

/** Queries of a Durable Object's own SQLite; each row is checked. All calls are immediate. */
export class Tables {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** All of the changes or none, whenever the object dies. */
  atomically(changes: () => void): void {
    this.#storage.transactionSync(changes);
  }

  run(query: string, ...values: Value[]): void {
    this.#storage.sql.exec(query, ...values);
  }

  *each<T>(schema: z.ZodType<T>, query: string, ...values: Value[]): Generator<T> {
    for (const row of this.#storage.sql.exec(query, ...values)) yield schema.parse(row);
  }

  all<T>(schema: z.ZodType<T>, query: string, ...values: Value[]): T[] {
    return [...this.each(schema, query, ...values)];
  }

  one<T>(schema: z.ZodType<T>, query: string, ...values: Value[]): T | undefined {
    return this.all(schema, query, ...values)[0];
  }

  /** For queries that have one row whatever there is. */
  get<T>(schema: z.ZodType<T>, query: string, ...values: Value[]): T {
    return schema.parse(this.#storage.sql.exec(query, ...values).one());
  }
}
