/** The text of a filter, term by term, as the service reads it: blanks part terms, quotes hold them together. */

const TERM = /(?:"[^"]*"?|[^\s"])+/g;
const CHOICE = /(?:^|,)((?:[^",]|"[^"]*"?)*)/g;
const PLAIN = /^[^\s":,]+$/;

/** The terms of a filter: key, the values of which either will do, whether the term leaves out, and where it stands. */
export function terms(text) {
  return [...text.matchAll(TERM)].map((match) => {
    const whole = match[0];
    const colon = outsideQuotes(whole);
    const key = colon < 0 ? "" : unquoted(whole.slice(0, colon)).toLowerCase();
    return {
      key: key.replace(/^-/, ""),
      values: choices(colon < 0 ? whole : whole.slice(colon + 1)),
      without: key.startsWith("-"),
      start: match.index,
      end: match.index + whole.length,
    };
  });
}

/** A filter that asks for one value of a key, whatever it asked of that key before. */
export function only(text, key, value) {
  return joined([...kept(text, (term) => term.key !== key || term.without), written(key, value)]);
}

/** A filter that leaves a value out, beside those that it leaves out already. */
export function without(text, key, value) {
  const before = terms(text).filter((term) => term.key === key && term.without).flatMap((term) => term.values);
  if (before.includes(value)) return text;
  const others = kept(text, (term) => term.key !== key || (!term.without && String(term.values) !== value));
  return joined([...others, `-${key}:${[...before, value].map(word).join(",")}`]);
}

/** A filter without one key, asked for or left out. */
export const dropped = (text, key) => joined(kept(text, (term) => term.key !== key));

/** Whether a filter asks for this value. */
export const asks = (text, key, value) =>
  terms(text).some((term) => term.key === key && !term.without && term.values.some((each) => each.toLowerCase() === value.toLowerCase()));

/** A key and a value as a term. */
export const written = (key, value) => `${key}:${word(value)}`;

/**
 * A filter with the bounds of a range.
 * @param keys the key for each end, and whether it takes a moment or a whole day.
 */
export function bounded(text, keys, { from, to }) {
  const bound = ({ key, days }, moment) => moment && written(key, days ? moment.slice(0, 10) : moment);
  return joined([text, bound(keys.after, from), bound(keys.before, to)]);
}

const kept = (text, keeps) => terms(text).filter(keeps).map((term) => text.slice(term.start, term.end));
const joined = (parts) => parts.filter(Boolean).join(" ").trim();
/** A value as it is typed: quotes keep together what would part it. */
const word = (value) => (PLAIN.test(value) ? value : `"${value.replaceAll('"', "")}"`);
const choices = (text) => [...text.matchAll(CHOICE)].map(([, choice]) => unquoted(choice));
const unquoted = (text) => text.replace(/^"|"$/g, "");

function outsideQuotes(text) {
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '"') quoted = !quoted;
    else if (text[index] === ":" && !quoted) return index;
  }
  return -1;
}
