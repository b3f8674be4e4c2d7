/**
 * Where the sign-in page sends a browser back to; in a file of its own, for the launcher is no Worker. Not where Access has it: wrangler
 * answers below /cdn-cgi/ to no other name than localhost.
 */
export const AUTHORIZED_PATH = "/local/access/authorized";
