/** A row opened to everything: its facts, the change, who sent it, what belongs to it, and where to look next. */

import { html, nothing } from "./lit-html.js";
import { LOG_VIEWS, href } from "./address.js";
import { agentInWords } from "./agents.js";
import { curl, link } from "./copying.js";
import { diffTable } from "./diff.js";
import { duration, exact } from "./moments.js";
import { facts, filtered, leftOut, related, surroundings } from "./pivots.js";
import { block, inline } from "./text.js";
import { TEXTS, count } from "./texts.js";

/**
 * @param page goes to states by links, and copies.
 */
export function details(page, state, row) {
  return html`<div class="details">
    <div class="facts-and-diff">
      <dl class="facts">
        ${fact(TEXTS.facts.time, html`<time datetime=${row.time ?? row.connect_time}>${exact(row.time ?? row.connect_time, state.zone)}</time>`)}
        ${ending(row, state.zone)}
        ${facts(state.view, row).map((each) => fact(TEXTS.facts[each.name], value(page, state, each)))}
        ${agent(row.user_agent ?? row.web_info?.user_agent)}
        ${fact(TEXTS.facts.id, html`<code>${inline(row.id)}</code>`)}
        ${sources(row, state.zone)}
      </dl>
      ${conflicts(row.conflicts, state.zone)}
      ${diffTable(row.diff)}
      ${more(row)}
    </div>
    <nav class="onward" aria-label=${TEXTS.onward}>
      ${onward(page, TEXTS.aroundThis, surroundings(state, row).map((each) => ({
        ...each, label: TEXTS.around(TEXTS.facts[each.name] ?? TEXTS.everything, TEXTS.views[each.view]),
      })))}
      ${onward(page, TEXTS.related, related(state, row).map((each) => ({ ...each, label: TEXTS.same[each.name] })))}
      <p class="copies">
        <button type="button" class="small" @click=${() => page.copy(JSON.stringify(row, null, 2), TEXTS.copied.json)}>${TEXTS.copyJson}</button>
        <button type="button" class="small" @click=${() => page.copy(curl(state.view, "", row.id), TEXTS.copied.curl)}>${TEXTS.copyCurl}</button>
        <button type="button" class="small" @click=${() => page.copy(link({ ...state, row: row.id }), TEXTS.copied.link)}>${TEXTS.copyRowLink}</button>
      </p>
    </nav>
  </div>`;
}

function ending({ ssh_info: info, connect_time: began }, zone) {
  if (!info) return nothing;
  const { disconnect_time: end, disconnect_reason: reason } = info;
  return html`${fact(TEXTS.facts.ended, end
    ? html`${exact(end, zone)} <small>${TEXTS.lasted(duration(new Date(end) - new Date(began)))}</small>` : html`<em>${TEXTS.stillOpen}</em>`)}
    ${reason ? fact(TEXTS.facts.reason, block(reason)) : nothing}
    ${info.exit_code === undefined ? nothing : fact(TEXTS.facts.exitCode, info.exit_code)}`;
}

function agent(text) {
  if (!text) return nothing;
  const words = agentInWords(text);
  return fact(TEXTS.facts.userAgent, html`${words ? html`${words} ` : nothing}<small>${block(text)}</small>`);
}

function value(page, state, { name, key, value: given }) {
  if (!key) return block(given);
  const about = `${TEXTS.facts[name]} ${String(given).slice(0, 60)}`;
  return html`${block(given)}
    <span class="pivots">
      <a href=${href(filtered(state, key, given))} @click=${page.follow}>${TEXTS.only}<span class="visually-hidden"> ${about}</span></a>
      <a href=${href(leftOut(state, key, given))} @click=${page.follow}>${TEXTS.not}<span class="visually-hidden"> ${about}</span></a>
    </span>`;
}

/** Which tokens wrote the row, and when: for those who may read the whole log. */
function sources(row, zone) {
  const told = [
    ["received", row.received_at && exact(row.received_at, zone)], ["writtenBy", row.written_by],
    ["endReceived", row.disconnect_received_at && exact(row.disconnect_received_at, zone)], ["endWrittenBy", row.disconnect_written_by],
  ];
  return told.filter(([, given]) => given).map(([name, given]) => fact(TEXTS.facts[name], inline(given)));
}

/** What other events said of the same session: the first that was accepted stands, and these are kept beside it. */
function conflicts(given, zone) {
  if (!given?.count) return nothing;
  return html`<section class="notice"><p><b>${TEXTS.conflicts(count(given.count))}</b></p>
    <dl class="facts">${given.newest.map((conflict) => html`<div>
      <dt>${exact(conflict.time, zone)}</dt>
      <dd>${inline(conflict.connection_status)} ${block(JSON.stringify(conflict.said))} <small>${inline(conflict.written_by ?? "")}</small></dd>
    </div>`)}</dl></section>`;
}

/** What a sender added to the event, or Gatebook keeps beside it, as it is. */
function more(row) {
  const fields = Object.entries(row.additional_fields ?? {});
  if (!fields.length) return nothing;
  return html`<details class="more"><summary>${TEXTS.additional}</summary>
    <dl class="facts">${fields.map(([name, given]) => html`<div><dt>${inline(name)}</dt><dd>${block(typeof given === "string" ? given : JSON.stringify(given))}</dd></div>`)}</dl>
  </details>`;
}

function onward(page, title, links) {
  if (!links.length) return nothing;
  const views = LOG_VIEWS.filter((view) => links.some((each) => each.view === view));
  const groups = views.length ? views.map((view) => links.filter((each) => each.view === view)) : [links];
  return html`<h2>${title}</h2>${groups.map((group) => html`<ul>${group.map((each) => html`<li>
    <a href=${href(each.state)} @click=${page.follow}>${each.label}</a>${each.value ? html` <small>${inline(each.value)}</small>` : nothing}
  </li>`)}</ul>`)}`;
}

const fact = (name, content) => html`<div><dt>${name}</dt><dd>${content}</dd></div>`;
