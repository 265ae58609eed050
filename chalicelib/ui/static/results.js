/** The table of a log's rows, by day. Thousands of rows may stand in it: only what has changed is drawn. */

import { html, render } from "./lit-html.js";
import { day, dayStart, daysAgo } from "./moments.js";
import { line, timeOf } from "./rows.js";
import { TEXTS } from "./texts.js";

export class Results {
  /** @param page goes to states and copies. @param opened called with the id of the row that is to be open: "" for none. */
  constructor(page, opened) {
    this.page = page;
    this.opened = opened;
    this.clear();
    this.element = made("table", "results");
    this.element.setAttribute("aria-label", TEXTS.results);
    const head = made("rowgroup", "head");
    render(html`<div role="row">${["time", "event", "result", "address"].map((name) =>
      html`<span role="columnheader">${TEXTS.columns[name]}</span>`)}</div>`, head);
    this.head = head;
  }

  /** Forgets every row. */
  clear() {
    this.rows = undefined;
    this.entries = new Map();
    this.groups = new Map();
  }

  /** The element of the table, with the rows of a state in it. */
  drawn(state, rows, { busy }) {
    const before = this.state;
    this.state = state;
    if (before?.view !== state.view || before.zone !== state.zone) this.clear();
    const today = dayStart(0, state.zone);
    if (rows !== this.rows || today !== this.today) this.#place(rows, today);
    else if (before !== state) for (const id of new Set([before.row, state.row])) this.entries.get(id)?.draw(this);
    this.element.setAttribute("aria-busy", busy);
    return this.element;
  }

  #place(rows, today) {
    const [entries, groups] = [this.entries, this.groups];
    [this.rows, this.today, this.entries, this.groups] = [rows, today, new Map(), new Map()];
    for (const row of rows) {
      const entry = entries.get(row.id) ?? new Entry(day(timeOf(row), this.state.zone));
      entry.row = row;
      entry.draw(this);
      this.entries.set(row.id, entry);
      if (!this.groups.has(entry.day)) this.groups.set(entry.day, groups.get(entry.day) ?? new Group());
      const group = this.groups.get(entry.day);
      if (group.of !== rows) group.begin(rows, timeOf(row), this.state.zone);
      group.elements.push(entry.element);
    }
    for (const { element, elements } of this.groups.values()) place(element, elements);
    place(this.element, [this.head, ...[...this.groups.values()].map(({ element }) => element)]);
  }
}

/** The rows of a day, under its name. */
class Group {
  constructor() {
    this.element = made("rowgroup");
    this.name = made("row", "day");
  }

  /** Begins the elements of the day anew: its name is the first. */
  begin(of, moment, zone) {
    this.of = of;
    this.elements = [this.name];
    const name = day(moment, zone);
    render(html`<span role="rowheader" aria-colspan="4" title=${name}>${relativeDay(name, moment, zone)}</span>`, this.name);
  }
}

/** A row's place: an element of its own. */
class Entry {
  constructor(day_) {
    this.day = day_;
    this.element = made("presentation");
  }

  draw({ page, state, opened }) {
    const { row } = this;
    const open = state.row === row.id;
    // The links of an open row keep the filter and the range; a closed one looks the same whatever they are.
    const of = [row, open && state];
    if (this.of?.every((part, place_) => part === of[place_])) return;
    this.of = of;
    render(line(page, state, row, { open, toggle: () => opened(open ? "" : row.id) }), this.element);
  }
}

function made(role, className = "") {
  const element = document.createElement("div");
  element.setAttribute("role", role);
  element.className = className;
  return element;
}

/** Puts elements into a parent in their order, and takes out the others. One that stands right is not touched: it keeps the focus. */
function place(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const element of elements) {
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
}

function relativeDay(name, moment, zone) {
  const ago = daysAgo(moment, zone);
  return ago < 2 && ago >= 0 ? `${TEXTS.days[ago]}, ${name}` : name;
}
