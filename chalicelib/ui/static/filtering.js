/** What can be asked of each log: its keys and their values, from the tables that the service itself reads. */

import { FILTERS } from "./filters.js";

const TABLES = { connections: "connection", audit: "audit" };
const PEOPLE = ["username", "email"];
const ME = "me";
const MOST_OFFERED = 9;

/** The keys of a view's log. */
export const keysOf = (view) => FILTERS[TABLES[view]] ?? [];

/** The first of some keys that the log knows; undefined where it knows none. */
export const known = (view, ...names) => names.find((name) => keysOf(view).some(({ key }) => key === name));

/** The keys that bound a range in this log. */
export function rangeKeys(view) {
  const found = (...names) => {
    const key = known(view, ...names);
    return { key, days: kindOf(view, key).startsWith("date") };
  };
  return { after: found("after", "connected_after", "date_from"), before: found("before", "connected_before", "date_to") };
}

/** Whether a value of this key can be completed from the names of people. */
export const isPerson = (view, key) => PEOPLE.includes(kindOf(view, key));

const kindOf = (view, key) => keysOf(view).find((known_) => known_.key === key)?.kind;

/**
 * What may stand where the reader types.
 * @param met values of rows that were read, by key.
 * @returns the suggestions, each with the text to put in, what it is and whether the term is then finished; and from
 *   where to where that text goes.
 */
export function completions(view, text, cursor, met) {
  const { start, typed } = token(text, cursor);
  const colon = typed.indexOf(":");
  if (colon < 0) {
    const minus = typed.startsWith("-") ? "-" : "";
    const part = typed.slice(minus.length).toLowerCase();
    const found = ranked(keysOf(view), part, ({ key }) => key);
    return { start, end: cursor, items: found.map(({ key, about }) => ({ text: `${minus}${key}:`, about, finished: false })) };
  }
  const name = typed.slice(0, colon).replace(/^-/, "").toLowerCase();
  const key = keysOf(view).find((each) => each.key === name);
  if (!key) return { start, end: cursor, items: [] };
  const comma = typed.lastIndexOf(",");
  const from = comma > colon ? comma + 1 : colon + 1;
  const values = [...new Set([...key.values, ...(key.kind === "username" ? [ME] : []), ...(met[name] ?? [])])];
  const part = typed.slice(from).replace(/^"/, "").toLowerCase();
  return {
    start: start + from,
    end: cursor,
    items: ranked(values, part, (value) => value).map((value) => ({
      text: /[\s:,]/.test(value) ? `"${value}"` : value, about: "", finished: true,
    })),
  };
}

function token(text, cursor) {
  let quoted = false;
  let start = 0;
  for (let index = 0; index < cursor; index += 1) {
    if (text[index] === '"') quoted = !quoted;
    else if (text[index] === " " && !quoted) start = index + 1;
  }
  return { start, typed: text.slice(start, cursor) };
}

/** Those that begin with the part before those that hold it; one that is the part itself needs no completing. */
function ranked(items, part, textOf) {
  const text = (item) => String(textOf(item)).toLowerCase();
  const begin = items.filter((item) => text(item).startsWith(part) && text(item) !== part);
  const hold = items.filter((item) => !text(item).startsWith(part) && text(item).includes(part));
  return [...begin, ...hold].slice(0, MOST_OFFERED);
}
