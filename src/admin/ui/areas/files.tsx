import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { fileAddress, files, type LargeFile } from "../api/files.ts";
import { TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Moment } from "../parts/moment.tsx";
import { Pages } from "../parts/pages.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { bytes } from "../parts/words.ts";

const COLUMNS: readonly Column<LargeFile>[] = [
  {
    title: "File",
    cell: ({ path }) => (
      <a href={fileAddress(path)} target="_blank" rel="noreferrer">
        {path}
      </a>
    ),
  },
  { title: "Size", isFigure: true, cell: ({ size }) => bytes(size) },
  { title: "Changed", cell: ({ modified }) => <Moment at={modified} /> },
  {
    title: "Keep it",
    cell: ({ path }) => (
      <a className="with-icon" href={fileAddress(path)} download aria-label={`Save ${path}`}>
        <Icon name="download" />
        Save
      </a>
    ),
  },
];

/** The folder for large files; reading it needs no running bot. */
export function Files() {
  const [typed, setTyped] = useState("");
  const prefix = useDeferredValue(typed.replace(/^\/?(files\/)?/, ""));
  const query = useInfiniteQuery(files(prefix));
  return (
    <>
      <p className="dim">
        What the Moltbot put into <code>/files</code>: videos, downloads and the like. They are in no generation.
      </p>
      <div className="filters">
        <TextField label="In the folder" value={typed} change={setTyped} placeholder="videos/" />
      </div>
      <Pages
        query={query}
        rowsOf={(page) => page.files}
        empty={
          prefix === ""
            ? "There are no files. Ask the Moltbot to save something to /files."
            : `Nothing begins with ${prefix}.`
        }
      >
        {(rows) => <Table label="Files" columns={COLUMNS} rows={rows} keyOf={({ path }) => path} />}
      </Pages>
    </>
  );
}
