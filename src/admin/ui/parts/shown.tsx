import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { CallFailure, hintOf } from "../api/call.ts";

interface ShownProps<Data> {
  query: UseQueryResult<Data>;
  /** Whether there is nothing in it, and what to say then. */
  empty?: { when: (data: Data) => boolean; say: ReactNode };
  children: (data: Data) => ReactNode;
}

/** What a query brought, or that it is on its way, or why it did not come. What came before stays in sight. */
export function Shown<Data>({ query, empty, children }: ShownProps<Data>): ReactNode {
  const { data, error } = query;
  return (
    <>
      {error && <Problem error={error} again={() => void query.refetch()} />}
      {data === undefined ? !error && <Loading /> : empty?.when(data) ? <Empty>{empty.say}</Empty> : children(data)}
    </>
  );
}

export function Problem({ error, again }: { error: Error; again: () => void }) {
  const isOver = error instanceof CallFailure && (error.code === "signed_out" || error.code === "outdated");
  return (
    <div className="notice bad" role="alert">
      <div>
        <strong>{error.message}</strong>
        <p>{hintOf(error)}</p>
      </div>
      <button type="button" className="button" onClick={isOver ? () => location.reload() : again}>
        {isOver ? "Load again" : "Try again"}
      </button>
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}

export function Loading() {
  return (
    <div className="loading" role="status" aria-label="Loading">
      <span />
      <span />
      <span />
    </div>
  );
}
