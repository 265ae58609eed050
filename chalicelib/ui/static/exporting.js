/** Takes everything that is asked for along as a file: CSV for a spreadsheet, or a line of JSON for each row. */

import { get } from "./api.js";
import { LOGS } from "./copying.js";

const AT_ONCE = 1_000;
const MOST_ROWS = 100_000;
const REVOKED_AFTER_MS = 60_000;

/** The columns of the CSV of each log: a name, and where the value is in the row. */
const COLUMNS = {
  connections: [
    "id", "connect_time", "type", "organization.name", "workspace_owner_username", "workspace_owner_id", "workspace_name",
    "workspace_id", "agent_name", "ip", "web_info.user.username", "web_info.user_agent", "web_info.slug_or_port",
    "web_info.status_code", "ssh_info.connection_id", "ssh_info.disconnect_time", "ssh_info.disconnect_reason", "ssh_info.exit_code",
  ],
  audit: [
    "id", "time", "request_id", "user.username", "user.email", "organization.name", "ip", "user_agent", "action",
    "resource_type", "resource_id", "resource_target", "status_code", "description", "is_deleted", "diff", "additional_fields",
  ],
};

export const Format = Object.freeze({ CSV: "csv", NDJSON: "ndjson" });
const MEDIA = { csv: "text/csv;charset=utf-8", ndjson: "application/x-ndjson;charset=utf-8" };

/**
 * Reads every page of a filter and hands the reader a file.
 * @param progress called with how many rows have been read.
 * @returns how many rows the file has, and whether there are more of them.
 */
export async function exported(view, q, format, { progress, signal }) {
  const { path, rows: name } = LOGS[view];
  const columns = COLUMNS[view];
  const parts = format === Format.CSV ? [`${columns.join(",")}\r\n`] : [];
  const written = format === Format.CSV ? (row) => `${columns.map((column) => cell(at(row, column))).join(",")}\r\n` : (row) => `${JSON.stringify(row)}\n`;
  let cursor = "";
  let number = 0;
  do {
    const page = await get(path, { q, limit: AT_ONCE, count: "false", cursor }, { signal });
    parts.push(page[name].map(written).join(""));
    number += page[name].length;
    cursor = page.next_cursor ?? "";
    progress(number);
  } while (cursor && number < MOST_ROWS);
  saved(new Blob(parts, { type: MEDIA[format] }), `${path}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format}`);
  return { number, more: Boolean(cursor) };
}

const at = (row, column) => column.split(".").reduce((value, name) => value?.[name], row);

/** A value as a cell. A spreadsheet takes a text that begins like a formula for one: it gets an apostrophe before it. */
function cell(value) {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const plain = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function saved(blob, name) {
  const url = URL.createObjectURL(blob);
  const anchor = Object.assign(document.createElement("a"), { href: url, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKED_AFTER_MS);
}
