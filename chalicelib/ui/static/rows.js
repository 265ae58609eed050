/** The rows of a log: by day, each a sentence, and one of them open. */

import { html, nothing } from "./lit-html.js";
import { details } from "./details.js";
import { clock, day, daysAgo, duration, exact } from "./moments.js";
import { auditBadges, auditSentence, connectionBadges, connectionSentence } from "./sentences.js";
import { inline } from "./text.js";
import { TEXTS } from "./texts.js";

/** The moment by which a row of either log is ordered. */
export const timeOf = (row) => row.time ?? row.connect_time;

/** @param page goes to states and copies. @param opened called with the id of a row that is to be opened or closed. */
export function resultsTable(page, state, rows, { opened, busy }) {
  return html`<div role="table" aria-label=${TEXTS.results} aria-busy=${busy} class="results">
    <div role="rowgroup" class="head"><div role="row">
      ${["time", "event", "result", "address"].map((name) => html`<span role="columnheader">${TEXTS.columns[name]}</span>`)}
    </div></div>
    ${byDay(rows, state.zone).map((group) => html`<div role="rowgroup">
      <div role="row" class="day"><span role="rowheader" aria-colspan="4" title=${day(timeOf(group[0]), state.zone)}>
        ${relativeDay(timeOf(group[0]), state.zone)}</span></div>
      ${group.map((row) => line(page, state, row, opened))}
    </div>`)}
  </div>`;
}

function line(page, state, row, opened) {
  const audit = state.view === "audit";
  const open = state.row === row.id;
  const toggle = () => opened(open ? "" : row.id);
  const badges = audit ? auditBadges(row) : connectionBadges(row);
  const began = timeOf(row);
  return html`<div role="row" class=${open ? "line open" : "line"} @click=${(event) => event.target.closest("a, button") || selecting() || toggle()}>
      <span role="cell" class="when"><button type="button" class="plain toggle" aria-expanded=${open} @click=${toggle}
        title=${exact(began, state.zone)}><time datetime=${began}>${clock(began, state.zone)}</time></button></span>
      <span role="cell" class="what">${audit ? auditSentence(row, page.resourceLink(row)) : connectionSentence(row)}${lasted(row, state.zone)}</span>
      <span role="cell" class="badges">${badges.map(({ text, tone, about }) => html`<span class=${`badge ${tone}`} title=${about ?? nothing}>${inline(text)}</span> `)}</span>
      <span role="cell" class="where">${row.ip ? inline(row.ip) : nothing}</span>
    </div>
    ${open ? html`<div role="row" class="opened"><div role="cell" aria-colspan="4">${details(page, state, row)}</div></div>` : nothing}`;
}

function lasted({ ssh_info: info, connect_time: began }, zone) {
  if (!info?.disconnect_time) return nothing;
  const about = `${clock(began, zone)} → ${clock(info.disconnect_time, zone)}`;
  return html` <small class="lasted" title=${about}>${duration(new Date(info.disconnect_time) - new Date(began))}</small>`;
}

/** Whether the reader is marking text, which is no wish to open a row. */
const selecting = () => String(getSelection()) !== "";

function byDay(rows, zone) {
  const groups = [];
  let before;
  for (const row of rows) {
    const its = day(timeOf(row), zone);
    if (its !== before) groups.push([]);
    groups.at(-1).push(row);
    before = its;
  }
  return groups;
}

function relativeDay(text, zone) {
  const ago = daysAgo(text, zone);
  const name = day(text, zone);
  return ago < 2 && ago >= 0 ? `${TEXTS.days[ago]}, ${name}` : name;
}
