import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { useEffect, useRef, useState } from "react";
import { openTerminal } from "../../api/terminal.ts";
import { Badge } from "../../parts/item.tsx";
import { strictStyles } from "./strict-styles.ts";

const COLOURS = { background: "#141312", foreground: "#efece8", cursor: "#ff9166", selectionBackground: "#5a4a40" };

/** Draws the shell until it ends. */
export function Screen({ ended }: { ended: (why: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLButtonElement>(null);
  const close = useRef(() => {});
  const onEnd = useRef(ended);
  onEnd.current = ended;
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    if (!box.current) return undefined;
    const styles = strictStyles();
    const terminal = new Terminal({
      fontFamily: getComputedStyle(box.current).fontFamily,
      fontSize: 13,
      cursorBlink: true,
      theme: COLOURS,
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(box.current);
    fit.fit();
    const line = openTerminal(terminal, {
      ready() {
        setReady(true);
        // The window may have changed since it was asked for.
        line.resize(terminal);
        terminal.focus();
      },
      output: (bytes) => terminal.write(bytes),
      ended: (why) => onEnd.current(why),
    });
    close.current = line.close;
    terminal.onData(line.type);
    terminal.onResize(({ cols, rows }) => line.resize({ cols, rows }));
    // Everything else a shell may want for itself.
    terminal.attachCustomKeyEventHandler(({ key, shiftKey, type }) => {
      if (key !== "Escape" || !shiftKey) return true;
      if (type === "keydown") end.current?.focus();
      return false;
    });
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      onEnd.current = () => {};
      line.close();
      terminal.dispose();
      styles.dispose();
    };
  }, []);
  return (
    <>
      <div className="row">
        {isReady ? <Badge tone="good">Open</Badge> : <Badge tone="near">Opening</Badge>}
        <span className="dim">Shift and Escape leave it by keyboard.</span>
        <span className="spacer" />
        <button ref={end} type="button" className="button" onClick={() => close.current()}>
          End it
        </button>
      </div>
      <div ref={box} className="terminal-box" role="group" aria-label="Terminal" />
    </>
  );
}
