/** Where the sign-in page sends a browser back to; in a file of its own, for the launcher is no Worker. */
export const AUTHORIZED_PATH = "/cdn-cgi/access/authorized";
