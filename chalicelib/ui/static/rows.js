/** A row of a log: a sentence, and everything that is known where it is open. */

import { html, nothing } from "./lit-html.js";
import { details } from "./details.js";
import { clock, duration, exact } from "./moments.js";
import { auditBadges, auditSentence, connectionBadges, connectionSentence } from "./sentences.js";
import { inline } from "./text.js";
import { TEXTS } from "./texts.js";

/** The moment by which a row of either log is ordered. */
export const timeOf = (row) => row.time ?? row.connect_time;

/**
 * A row as its line, and under it what it opens to.
 * @param page goes to states and copies. @param toggle opens the row, or closes it.
 */
export function line(page, state, row, { open, toggle }) {
  const audit = state.view === "audit";
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
