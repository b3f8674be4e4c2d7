import { type ReactNode, useId } from "react";

/** A part of an area, with its own heading. */
export function Panel({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="part" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {note && <p className="dim">{note}</p>}
      {children}
    </section>
  );
}
