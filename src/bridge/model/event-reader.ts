/** Longest event that is looked into. A longer one is a picture or garbage: it goes through unread. */
const MOST_CHARS = 1_000_000;

/** Finds the data of server-sent events in a text that comes in pieces, however it was cut. */
export class EventReader {
  #line = "";

  /** The data lines that this piece completes. Every API here writes one line of data for an event. */
  push(piece: string): string[] {
    const data: string[] = [];
    let from = 0;
    for (let end = piece.indexOf("\n"); end !== -1; end = piece.indexOf("\n", from)) {
      const line = this.#line + piece.slice(from, end);
      this.#line = "";
      from = end + 1;
      if (line.startsWith("data:")) data.push(line.slice(5).trim());
    }
    this.#line = this.#line.length > MOST_CHARS ? "" : this.#line + piece.slice(from);
    return data;
  }
}
