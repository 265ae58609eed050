/** The address bar is the state of the page: a copied address shows a colleague the same. */

/** The views, in the order of the navigation. */
export const VIEWS = Object.freeze(["connections", "audit", "tokens", "retention", "overview"]);
/** The view that `coder login` opens; it stands in no navigation. */
export const CLI_AUTH = "cli-auth";
export const LOG_VIEWS = Object.freeze(["connections", "audit"]);
export const Zone = Object.freeze({ UTC: "utc", LOCAL: "local" });
export const SIZES = Object.freeze([25, 100, 1000, 5000]);

/** What a part of the state says that is either so or, left empty, not. */
export const YES = "yes";
const FIRST_VIEW = "connections";
const SIZE = 100;
/** A year that calendars and the service know. */
const FOUR_DIGITS = /^\d{4}-/;

/** What a page without parameters shows. */
export const START = Object.freeze({
  view: FIRST_VIEW, q: "", last: "", from: "", to: "", zone: Zone.UTC, row: "", size: SIZE, own: "", expired: "",
});

/** The state that an address means; what it does not know is left out. */
export function read(search) {
  const given = new URLSearchParams(search);
  const view = given.get("view");
  const size = Number(given.get("size"));
  return {
    view: [...VIEWS, CLI_AUTH].includes(view) ? view : FIRST_VIEW,
    q: given.get("q") ?? "",
    last: given.get("last") ?? "",
    from: momentText(given.get("from")),
    to: momentText(given.get("to")),
    zone: given.get("zone") === Zone.LOCAL ? Zone.LOCAL : Zone.UTC,
    row: given.get("row") ?? "",
    size: SIZES.includes(size) ? size : SIZE,
    own: given.get("own") === YES ? YES : "",
    expired: given.get("expired") === YES ? YES : "",
  };
}

/** The address of a state, relative to the page's own. */
export function href(state) {
  const parameters = new URLSearchParams({ view: state.view });
  for (const [name, value] of Object.entries(state)) {
    if (name !== "view" && value !== START[name]) parameters.set(name, value);
  }
  return `ui?${parameters}`;
}

/** The state of a view that is entered anew: the zone is the reader's and stays. */
export const entered = (state, view) => ({ ...START, view, zone: state.zone });

function momentText(text) {
  const time = new Date(text ?? NaN);
  if (Number.isNaN(time.getTime())) return "";
  const iso = time.toISOString();
  return FOUR_DIGITS.test(iso) ? iso : "";
}
