import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Empty, Loading, Problem } from "./shown.tsx";

interface PagesProps<Page, Row> {
  query: UseInfiniteQueryResult<InfiniteData<Page>>;
  rowsOf: (page: Page) => readonly Row[];
  empty: ReactNode;
  children: (rows: readonly Row[]) => ReactNode;
}

/** A list that comes in pages, and the button for the next one. */
export function Pages<Page, Row>({ query, rowsOf, empty, children }: PagesProps<Page, Row>) {
  const { data, error, hasNextPage, isFetchingNextPage } = query;
  const rows = data?.pages.flatMap(rowsOf);
  return (
    <>
      {error && <Problem error={error} again={() => void query.refetch()} />}
      {rows === undefined ? !error && <Loading /> : rows.length === 0 ? <Empty>{empty}</Empty> : children(rows)}
      {hasNextPage && (
        <div className="row">
          <button
            type="button"
            className="button"
            aria-busy={isFetchingNextPage}
            onClick={() => void query.fetchNextPage({ cancelRefetch: false })}
          >
            Show more
          </button>
        </div>
      )}
    </>
  );
}
