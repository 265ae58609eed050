/** Overview: today beside the same hours a week ago, and what stands open now; every number leads to its rows. */

import { html, nothing } from "./lit-html.js";
import { entered, href } from "./address.js";
import { CallError, Failure, get, getAll } from "./api.js";
import { LOGS } from "./copying.js";
import { known, rangeKeys } from "./filtering.js";
import { LoadedView } from "./loaded.js";
import { dayStart, duration } from "./moments.js";
import { bounded } from "./query.js";
import { EVERY_SCOPE } from "./tokens_view.js";
import { TEXTS, count } from "./texts.js";

const WEEK_MS = 7 * 24 * 3_600_000;

/** What is counted in a log: the name, the view, the filter, and whether it is of now and not of a day. */
const COUNTED = [
  { name: "connections", view: "connections", q: "" },
  { name: "openSessions", view: "connections", q: "status:ongoing", now: true },
  { name: "failedLogins", view: "audit", q: "action:login status_code:401,403", needs: "status_code" },
  { name: "newTokens", view: "audit", q: "resource_type:api_key action:create" },
  { name: "deletions", view: "audit", q: "action:delete" },
];

export class OverviewView extends LoadedView {
  template() {
    return html`<h1 tabindex="-1" id="title">${TEXTS.views.overview}</h1><p>${TEXTS.overviewAbout}</p>
      ${this.loaded.template((lines) => html`<div class="cards">${lines.map((line) => this.#card(line))}</div>`)}`;
  }

  #card({ name, today, before, about, state }) {
    return html`<article class="card">
      <h2>${TEXTS.measures[name]}</h2>
      <p class="number">${today ?? html`<em>${TEXTS.notCounted}</em>`}</p>
      ${before === undefined ? nothing : html`<p class="before">${TEXTS.overviewColumns[2]}: ${before ?? TEXTS.notCounted}</p>`}
      ${about ? html`<p class="before">${about}</p>` : nothing}
      ${state ? html`<a href=${href(state)} aria-label=${`${TEXTS.look}: ${TEXTS.measures[name]}`} @click=${this.page.follow}>${TEXTS.look}</a>` : nothing}
    </article>`;
  }

  async read() {
    const counted = COUNTED.filter(({ view, needs }) => !needs || known(view, needs)).map((each) => this.#counted(each));
    const lines = await Promise.all([...counted, ...this.#others()]);
    return lines.flat();
  }

  async #counted({ name, view, q, now }) {
    const { zone } = this.state;
    const start = dayStart(0, zone);
    const earlier = (text) => new Date(new Date(text).getTime() - WEEK_MS).toISOString();
    const today = { from: now ? "" : start, to: "" };
    const before = { from: earlier(start), to: earlier(new Date().toISOString()) };
    const [current, past] = await Promise.all([countOf(view, q, today), now ? undefined : countOf(view, q, before)]);
    return { name, today: current, before: past, state: { ...entered(this.state, view), q, ...today } };
  }

  #others() {
    return [this.#rejected(), this.#broadTokens(), this.#purge()];
  }

  async #rejected() {
    const counted = await allowed(get("rejections"));
    if (!counted) return [];
    const start = new Date(dayStart(0, this.state.zone)).getTime();
    const within = (from, to) => counted.hours.reduce((total, { hour, events }) => total + (isWithin(hour, from, to) ? events : 0), 0);
    const now = Date.now();
    return { name: "rejected", today: count(within(start, now)), before: count(within(start - WEEK_MS, now - WEEK_MS)) };
  }

  /** Of tokens that are gone nothing is counted, of those that have expired what is still listed. */
  async #broadTokens() {
    const tokens = await allowed(getAll("users/me/keys/tokens", { include_all: true, include_expired: true }));
    const state = entered(this.state, "tokens");
    if (!tokens) return ["newBroadTokens", "broadTokens"].map((name) => ({ name, state }));
    const broad = tokens.filter(({ scopes }) => scopes.includes(EVERY_SCOPE));
    const now = Date.now();
    const start = new Date(dayStart(0, this.state.zone)).getTime();
    const made = (from, to) => count(broad.filter(({ created_at: at }) => isWithin(at, from, to)).length);
    const live = broad.filter(({ expires_at: end }) => new Date(end) > now).length;
    return [
      { name: "newBroadTokens", today: made(start, now), before: made(start - WEEK_MS, now - WEEK_MS), state },
      { name: "broadTokens", today: count(live), state },
    ];
  }

  async #purge() {
    const retention = await allowed(get("retention"));
    if (!retention) return [];
    const waiting = Object.values(retention.waiting).reduce((total, number) => total + number, 0);
    const run = retention.runs.find(({ dry_run: dry, finished_at: end }) => !dry && end);
    const state = entered(this.state, "retention");
    return [
      { name: "waiting", today: count(waiting), state },
      { name: "lag", today: run ? duration((run.lag_seconds ?? 0) * 1_000) : TEXTS.never, about: run && TEXTS.atLastRun(duration(Date.now() - new Date(run.finished_at))), state },
    ];
  }
}

/** Whether a moment lies between two, as the clock counts milliseconds. */
function isWithin(text, from, to) {
  const time = new Date(text).getTime();
  return time >= from && time <= to;
}

/** How many rows there are in a range, as text; undefined where the reader may not know. */
async function countOf(view, q, range) {
  const answer = await allowed(get(LOGS[view].path, { q: bounded(q, rangeKeys(view), range), limit: 1 }));
  if (!answer) return undefined;
  const capped = answer.count > answer.count_cap;
  return `${count(capped ? answer.count_cap : answer.count)}${capped || answer.count_partial ? "+" : ""}`;
}

const UNSEEN_BY_READER = [Failure.FORBIDDEN, Failure.MISSING];

/** What a call answers; undefined where the reader has no right to it, or it is not there for them. */
async function allowed(call) {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CallError && UNSEEN_BY_READER.includes(error.kind)) return undefined;
    throw error;
  }
}
