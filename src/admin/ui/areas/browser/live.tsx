import { useEffect, useRef, useState } from "react";
import { framesAddress } from "../../api/browser.ts";

/** The active tab as it changes. A stream of pictures does not say that it has ended, so it can be begun anew. */
export function LivePicture({ title }: { title: string }) {
  const [view, setView] = useState(1);
  const [broken, setBroken] = useState(false);
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    const shown = image.current;
    if (shown) shown.src = framesAddress(view);
    // A picture that was taken off the page would go on loading.
    return () => shown?.removeAttribute("src");
  }, [view]);
  const again = () => {
    setBroken(false);
    setView(view + 1);
  };
  return (
    <figure className="picture">
      {broken ? (
        <p className="notice bad" role="alert">
          The picture does not come.
        </p>
      ) : (
        <img
          key={view}
          ref={image}
          alt={title === "" ? "Your browser" : `Your browser: ${title}`}
          onError={() => setBroken(true)}
        />
      )}
      <figcaption className="row dim">
        As it moves
        <button type="button" className="button" onClick={again}>
          Begin anew
        </button>
      </figcaption>
    </figure>
  );
}
