/** Takes everything that is asked for along as a file: CSV for a spreadsheet, or a line of JSON for each row. */

import { address, getFile } from "./api.js";
import { LOGS } from "./copying.js";

const AT_ONCE = 1_000;
const MOST_ROWS = 100_000;
const REVOKED_AFTER_MS = 60_000;
/** Says that a text is UTF-8; a browser takes it from what it reads. */
const MARK = "\ufeff";

export const Format = Object.freeze({ CSV: "csv", NDJSON: "ndjson" });
const MEDIA = { csv: "text/csv;charset=utf-8", ndjson: "application/x-ndjson;charset=utf-8" };

/**
 * Reads every page of a filter as the service writes it, and hands the reader a file.
 * @param progress called with how many rows have been read.
 * @returns how many rows the file has, and whether there are more of them.
 */
export async function exported(view, q, format, { progress, signal }) {
  const { path } = LOGS[view];
  const parts = format === Format.CSV ? [MARK] : [];
  let url = address(path, { q, format, limit: AT_ONCE });
  let number = 0;
  do {
    const page = await getFile(url, { signal });
    const begin = format === Format.CSV && parts.length > 1 ? page.text.indexOf("\r\n") + 2 : 0; // the heading stands once
    parts.push(page.text.slice(begin));
    number += page.rows;
    url = page.next && new URL(page.next, url);
    progress(number);
  } while (url && number < MOST_ROWS);
  saved(new Blob(parts, { type: MEDIA[format] }), `${path}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format}`);
  return { number, more: Boolean(url) };
}

function saved(blob, name) {
  const url = URL.createObjectURL(blob);
  const anchor = Object.assign(document.createElement("a"), { href: url, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKED_AFTER_MS);
}
