/** Of the page that waits for the gateway. */
export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, CanvasText 22%, Canvas); --dim: color-mix(in srgb, CanvasText 72%, Canvas) }
* { box-sizing: border-box }
[hidden] { display: none !important }
body { margin: 0; display: grid; place-items: center; min-height: 100dvh; background: color-mix(in srgb, CanvasText 6%, Canvas); color: CanvasText }
main { width: min(36rem, 100%); padding: 2rem; background: Canvas; border: 1px solid var(--line); border-radius: .9rem }
h1 { margin: 0 0 .5rem; font-size: 1.4rem }
p { margin: .5rem 0; overflow-wrap: anywhere }
ol { list-style: none; padding: 0; margin: 1rem 0 }
li { padding-left: 1.6rem; position: relative; color: var(--dim) }
li::before { content: ""; position: absolute; left: 0; top: .4em; inline-size: .8em; block-size: .8em; border: 2px solid var(--dim); border-radius: 50% }
li.done::before { background: #1558b0; border-color: #1558b0 }
li.now { color: CanvasText; font-weight: 600 }
li.now::before { border-color: #1558b0; box-shadow: inset 0 0 0 2px Canvas; background: #1558b0 }
progress { inline-size: 100%; accent-color: #1558b0 }
#since { color: var(--dim); font-size: .9rem }
pre { max-block-size: 18rem; overflow: auto; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere }
button { font: inherit; font-weight: 600; min-height: 2.9rem; padding: 0 1.5rem; margin-top: .75rem; border-radius: .6rem; border: 1px solid #1558b0; background: #1558b0; color: #fff; cursor: pointer }
button:hover { background: #10478f }
button:disabled { opacity: .6; cursor: progress }
:focus-visible { outline: 3px solid #4a90e2; outline-offset: 2px }
@media (max-width: 34rem) { body { place-items: start stretch } main { border: 0; border-radius: 0; padding: 1.5rem 1.25rem } }
`;
