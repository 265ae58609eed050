/** What a reader takes along of a row or of a page: JSON, a command, a link. */

import { address } from "./api.js";
import { href } from "./address.js";

/** The path of a view's log in the API, and the name of the list in its answer. */
export const LOGS = Object.freeze({
  connections: { path: "connectionlog", rows: "connection_logs" },
  audit: { path: "audit", rows: "audit_logs" },
});

/** The command that asks the API the same; whoever runs it brings a token of their own. */
export function curl(view, q, id) {
  const path = LOGS[view].path;
  const url = quoted(String(address(id ? `${path}/${encodeURIComponent(id)}` : path)));
  const header = '-H "Coder-Session-Token: $CODER_SESSION_TOKEN"';
  return id ? `curl ${header} ${url}` : `curl -G ${header} --data-urlencode ${quoted(`q=${q}`)} ${url}`;
}

/** The whole address of a state of the page. */
export const link = (state) => String(new URL(href(state), document.baseURI));

/** Puts a text where it can be pasted from. */
export const copy = (text) => navigator.clipboard.writeText(text);

/** A text as one word of a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
