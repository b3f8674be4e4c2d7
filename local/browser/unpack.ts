import chromium from "@sparticuz/chromium";

// Unpacks the browser of the npm package into $TMPDIR, which is the only place the package knows; whoever runs this names it.
await chromium.executablePath();
