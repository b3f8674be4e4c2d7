import type { ReactNode } from "react";

export interface Column<Row> {
  title: string;
  /** Figures stand at the right, so that they can be compared. */
  isFigure?: boolean;
  cell: (row: Row) => ReactNode;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
}

/**
 * A table; on a narrow screen each row is a block with its columns' titles. Changing the display takes a table's meaning
 * from it, so the roles are written out.
 */
export function Table<Row>({ label, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <table className="table" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, isFigure }) => (
            <th key={title} role="columnheader" scope="col" className={isFigure ? "number" : ""}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map(({ title, isFigure, cell }) => (
              <td key={title} role="cell" data-title={title} className={isFigure ? "number" : ""}>
                <div>{cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
