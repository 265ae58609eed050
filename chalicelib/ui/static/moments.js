/** Moments and ranges of time, as they are written in the reader's zone. */

import { Zone } from "./address.js";

// Named, because a browser without a language set up has none that Intl accepts.
const LOCALE = "en-GB";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The ranges that end now: what the address says of one, and how long it is in milliseconds. */
export const LASTS = Object.freeze({
  __proto__: null, // An address may say any word: those that every object knows mean nothing here.
  "15m": 15 * MINUTE, "1h": HOUR, "4h": 4 * HOUR, "24h": DAY, "3d": 3 * DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY,
});
const AROUND = 15 * MINUTE;

const WIDEST = LASTS["90d"];

const formats = new Map();

function format(name, options, zone) {
  const key = `${name} ${zone}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: zone === Zone.UTC ? "UTC" : undefined }));
  }
  return formats.get(key);
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const DATE = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const SHORT = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** The time of day to the second. */
export const clock = (text, zone) => format("clock", CLOCK, zone).format(new Date(text));

/** The day of a moment, in words. */
export const day = (text, zone) => format("day", DATE, zone).format(new Date(text));

/** Day and minute. */
export const short = (text, zone) => format("short", SHORT, zone).format(new Date(text));

/** Day and time with every digit that was sent, and the zone. */
export function exact(text, zone) {
  const fraction = /\.\d+/.exec(text)?.[0] ?? "";
  return `${day(text, zone)}, ${clock(text, zone)}${fraction} ${zoneName(zone)}`;
}

/** The name of the zone in which times are shown. */
export function zoneName(zone) {
  return zone === Zone.UTC ? "UTC" : (Intl.DateTimeFormat(LOCALE).resolvedOptions().timeZone ?? "local time");
}

/** How many days before today a moment is, in the zone: 0 for today. */
export function daysAgo(text, zone, now = Date.now()) {
  return Math.round((midnight(now, zone) - midnight(new Date(text).getTime(), zone)) / DAY);
}

function midnight(time, zone) {
  const at = new Date(time);
  return zone === Zone.UTC
    ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())
    : Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
}

/** The moment a count of days before now begins in the zone, as ISO text. */
export function dayStart(daysBefore, zone, now = Date.now()) {
  const at = new Date(now);
  if (zone === Zone.UTC) at.setUTCHours(-24 * daysBefore, 0, 0, 0);
  else at.setHours(-24 * daysBefore, 0, 0, 0);
  return at.toISOString();
}

/** A length of time in its two largest units. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / SECOND));
  const parts = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  const found = [];
  let rest = seconds;
  for (const [unit, size] of parts) {
    const number = Math.floor(rest / size);
    rest -= number * size;
    if (number) found.push(`${number} ${unit}`);
  }
  return found.slice(0, 2).join(" ") || "0 s";
}

/** The bounds that a state asks for, as ISO texts: "" for none. */
export function bounds({ last, from, to }, now = Date.now()) {
  if (LASTS[last]) return { from: new Date(now - LASTS[last]).toISOString(), to: "" };
  return { from, to };
}

/** The span that bars are drawn over: that of the state, or the last ninety days where it has no beginning. */
export function span(state, now = Date.now()) {
  const { from, to } = bounds(state, now);
  const end = to ? new Date(to).getTime() : now;
  const start = from ? new Date(from).getTime() : end - WIDEST;
  return { from: new Date(start).toISOString(), to: new Date(Math.max(end, start + SECOND)).toISOString() };
}

/** A quarter of an hour to both sides of a moment, as part of a state. */
export function around(text) {
  const time = new Date(text).getTime();
  return { last: "", from: new Date(time - AROUND).toISOString(), to: new Date(time + AROUND).toISOString() };
}

/** A moment as `<input type="datetime-local">` has it in the zone. */
export function toInput(text, zone) {
  if (!text) return "";
  const at = new Date(text);
  const shifted = zone === Zone.UTC ? at : new Date(at.getTime() - at.getTimezoneOffset() * MINUTE);
  return shifted.toISOString().slice(0, 19);
}

/** The moment that such an input says, as ISO text; "" for none. */
export function fromInput(value, zone) {
  const at = new Date(value && zone === Zone.UTC ? `${value}Z` : value);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
