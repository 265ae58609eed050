/** A log: its filter, range and presets above, the bars and counts, the rows, and the way to the next page. */

import { html, nothing } from "./lit-html.js";
import { SIZES, href } from "./address.js";
import { CallError, Failure, get } from "./api.js";
import { Bars } from "./bars.js";
import { LOGS, curl, link } from "./copying.js";
import { Format, exported } from "./exporting.js";
import { facets } from "./facets.js";
import { known } from "./filtering.js";
import { escaped, left, range, rangeName } from "./range.js";
import { asks, dropped, only } from "./query.js";
import { SAY_LOADING_AFTER_MS } from "./loaded.js";
import { Pages, Phase } from "./pages.js";
import { PRESETS } from "./presets.js";
import { Results } from "./results.js";
import { timeOf } from "./rows.js";
import { Search } from "./search.js";
import { FACETS, Summary } from "./summary.js";
import { short } from "./moments.js";
import { failure } from "./states.js";
import { TEXTS, count } from "./texts.js";

const LIVE_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 20_000;
const ASKED = ["view", "q", "last", "from", "to", "size"];

export class LogView {
  constructor(page) {
    this.page = page;
    const update = () => page.update();
    this.pages = new Pages(update, (error) => page.failed(error));
    this.summary = new Summary(update);
    this.search = new Search({ update, names: (part) => page.userNames(part), changed: (q) => page.go({ q, row: "" }) });
    this.bars = new Bars({ update, ranged: (from, to) => page.go({ last: "", from, to, row: "" }) });
    const opened = (row) => page.go({ row }, { replace: true });
    [this.results, this.linkedResults] = [new Results(page, opened), new Results(page, opened)];
    this.live = false;
    this.exporting = null;
  }

  /** Shows a state: reads anew only where it asks for something else. */
  enter(state) {
    const before = this.state;
    this.state = state;
    this.search.show(state.q);
    if (!before || ASKED.some((name) => before[name] !== state[name])) this.#open();
    else if (before.row !== state.row) this.#openRow();
  }

  leave() {
    clearTimeout(this.looking);
    clearTimeout(this.waiting);
    this.pages.leave();
    this.summary.leave();
    this.exporting?.controller.abort();
    this.state = undefined;
  }

  template() {
    const { pages, state, page } = this;
    const invalid = pages.error?.kind === Failure.INVALID ? pages.error.validations : [];
    return html`
      <h1 tabindex="-1" id="title">${TEXTS.views[state.view]}</h1>
      <div class="asking">
        ${this.search.template(state.view, invalid)}
        ${this.#presets()}
        ${range(state, (part) => page.go({ ...part, row: "" }))}
      </div>
      ${this.#counts()}
      ${this.#toolbar()}
      <p class="visually-hidden" role="status">${this.#said()}</p>
      ${pages.newer && !this.live ? html`<p class="newer"><button type="button" @click=${pages.refresh}>
        ${TEXTS.newer(count(pages.newer), pages.newerCapped)}</button></p>` : nothing}
      ${this.#rows()}
      ${this.#paging()}`;
  }

  async #open() {
    clearTimeout(this.waiting);
    this.slow = false;
    this.linked = null;
    this.waiting = setTimeout(() => {
      this.slow = true;
      this.page.update();
    }, SAY_LOADING_AFTER_MS);
    this.summary.open(this.state);
    this.#watch();
    await this.pages.open(this.state);
    clearTimeout(this.waiting);
    this.slow = false;
    if (this.state) await this.#openRow();
  }

  /** Fetches the open row where it is not on the page: a link leads to a row, wherever it stands by now. */
  async #openRow() {
    const { row, view } = this.state;
    this.linked = null;
    if (row && view === "connections") {
      try {
        await this.pages.contradict(row);
      } catch (error) {
        if (!(error instanceof CallError)) throw error; // The row stands without it.
      }
    }
    if (row && this.state?.row === row && this.pages.phase === Phase.READY && !this.pages.rows.some(({ id }) => id === row)) {
      try {
        const found = await get(`${LOGS[view].path}/${encodeURIComponent(row)}`);
        if (this.state?.row === row) this.linked = [found];
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        this.page.say(TEXTS.rowGone);
      }
    }
    this.page.update();
  }

  /** Looks for newer rows from time to time, while somebody may see them. */
  #watch() {
    clearTimeout(this.looking);
    this.looking = setTimeout(async () => {
      if (!document.hidden) {
        try {
          await this.pages.look(this.live);
        } catch (error) {
          if (!(error instanceof CallError)) throw error;
        }
      }
      if (this.state) this.#watch();
    }, this.live ? LIVE_EVERY_MS : LOOK_EVERY_MS);
  }

  #presets() {
    const { state, page } = this;
    const opened = state.row ? this.pages.rows.find(({ id }) => id === state.row) : undefined;
    const token = opened?.additional_fields?.api_key_id ?? page.session.key_id;
    const offered = PRESETS[state.view].filter(({ needs }) => !needs || known(state.view, needs))
      .map(({ ofToken, q, ...preset }) => ({ ...preset, q: ofToken ? q + token : q }));
    return html`<details class="menu presets" @focusout=${left} @keydown=${escaped}>
      <summary role="button">${TEXTS.presets}</summary>
      <div class="panel"><ul class="choices">
        ${offered.map(({ name, q, last = "" }) => html`<li><a href=${href({ ...state, q, last, from: "", to: "", row: "" })}
          @click=${(event) => { event.currentTarget.closest("details").removeAttribute("open"); page.follow(event); }}>
          ${TEXTS.presetNames[name]} <small>${q}</small></a></li>`)}
      </ul></div>
    </details>`;
  }

  #counts() {
    const { answer } = this.summary;
    if (!answer || this.pages.error?.kind === Failure.INVALID) return nothing;
    const { state, page } = this;
    const [field] = FACETS[state.view];
    const ask = (key, value) => page.go({ q: asks(state.q, key, value) ? dropped(state.q, key) : only(state.q, key, value), row: "" });
    return html`${this.bars.template(answer, {
      zone: state.zone, field, name: TEXTS.facts[field] ?? field, asked: (value) => asks(state.q, field, value), chosen: (value) => ask(field, value),
    })}${facets(answer.facets ?? {}, { skipped: field, asked: (key, value) => asks(state.q, key, value), chosen: ask })}`;
  }

  #toolbar() {
    const { pages, page, state } = this;
    return html`<div class="toolbar">
      <span class="position">${this.#position()}</span>
      <button type="button" class="small" aria-pressed=${this.live} ?disabled=${Boolean(pages.range?.to)} @click=${() => {
        this.live = !this.live;
        this.#watch();
        if (this.live) pages.refresh();
      }}>${TEXTS.live}</button>
      <button type="button" class="small" @click=${() => page.copy(link(state), TEXTS.copied.link)}>${TEXTS.copyLink}</button>
      <button type="button" class="small" @click=${() => page.copy(curl(state.view, pages.q), TEXTS.copied.curl)}>${TEXTS.copyCurl}</button>
      ${this.exporting
        ? html`<span role="status">${TEXTS.exported(count(this.exporting.number))}</span>
          <button type="button" class="small" @click=${() => this.exporting.controller.abort()}>${TEXTS.cancel}</button>`
        : html`<button type="button" class="small" @click=${() => this.#export(Format.CSV)}>${TEXTS.exportCsv}</button>
          <button type="button" class="small" @click=${() => this.#export(Format.NDJSON)}>${TEXTS.exportNdjson}</button>`}
    </div>`;
  }

  #rows() {
    const { pages, state, page } = this;
    if (pages.phase === Phase.FAILED && pages.error.kind !== Failure.INVALID) return failure(page, pages.error, pages.again);
    if (pages.phase === Phase.LOADING && (this.slow || !pages.rows.length)) return this.#loading();
    const busy = pages.phase === Phase.LOADING;
    return html`
      ${this.linked ? html`<section class="linked"><h2>${TEXTS.linked}</h2>${this.linkedResults.drawn(state, this.linked, { busy })}</section>` : nothing}
      ${pages.rows.length ? this.results.drawn(state, pages.rows, { busy }) : pages.phase === Phase.READY ? this.#empty() : nothing}
      ${pages.partial && pages.phase === Phase.READY ? html`<p class="notice" role="status">
        ${TEXTS.searchedTo(this.#reached())} <button type="button" class="small" @click=${() => pages.nextPage()}>${TEXTS.goOn}</button></p>` : nothing}`;
  }

  #reached() {
    const reached = this.pages.searchedTo ?? (this.pages.rows.length ? timeOf(this.pages.rows.at(-1)) : "");
    return reached ? short(reached, this.state.zone) : "";
  }

  #loading() {
    return this.slow ? html`<p class="notice" aria-busy="true">${TEXTS.reading(TEXTS.views[this.state.view], this.state.q, rangeName(this.state))}</p>` : nothing;
  }

  #empty() {
    const { pages, state, page } = this;
    if (pages.hasPrevious) return html`<p class="notice">${TEXTS.emptyPage}</p>`;
    if (pages.partial) return nothing;
    const wider = { ...state, last: "", from: "", to: "", row: "" };
    return html`<div class="notice empty-log">
      <p>${state.q || rangeName(state) !== TEXTS.allTime ? TEXTS.nothingMatches : TEXTS.nothingYet}</p>
      ${state.q ? html`<a href=${href({ ...state, q: "", row: "" })} @click=${page.follow}>${TEXTS.withoutFilter}</a>` : nothing}
      ${rangeName(state) !== TEXTS.allTime ? html`<a href=${href(wider)} @click=${page.follow}>${TEXTS.inAllTime}</a>` : nothing}
    </div>`;
  }

  #paging() {
    const { pages, state, page } = this;
    if (pages.phase === Phase.FAILED || (!pages.rows.length && !pages.hasPrevious)) return nothing;
    const turned = async (turn) => {
      await turn();
      document.getElementById("title")?.scrollIntoView();
    };
    return html`<nav class="paging" aria-label=${TEXTS.pages}>
      <span class="position">${this.#position()}</span>
      <button type="button" ?disabled=${!pages.hasPrevious} @click=${() => turned(() => pages.previousPage())}>${TEXTS.previousPage}</button>
      <button type="button" ?disabled=${!pages.hasNext} @click=${() => turned(() => pages.nextPage())}>${TEXTS.nextPage}</button>
      <label>${TEXTS.rowsAPage} <select @change=${(event) => page.go({ size: Number(event.target.value), row: "" })}>
        ${SIZES.map((size) => html`<option value=${size} ?selected=${size === state.size}>${count(size)}</option>`)}
      </select></label>
    </nav>`;
  }

  #position() {
    const { first, last, count: all, capped, partial } = this.pages.position;
    if (this.pages.phase === Phase.IDLE || all === undefined) return "";
    return TEXTS.position(count(first), count(last), `${count(all)}${capped || partial ? "+" : ""}`);
  }

  #said() {
    const { pages } = this;
    if (pages.phase === Phase.LOADING) return this.slow ? TEXTS.loading : "";
    return pages.phase === Phase.READY ? this.#position() : "";
  }

  async #export(format) {
    const controller = new AbortController();
    this.exporting = { controller, number: 0 };
    this.page.update();
    try {
      const progress = (number) => {
        this.exporting = { controller, number };
        this.page.update();
      };
      const { number, more } = await exported(this.state.view, this.pages.q, format, { signal: controller.signal, progress });
      this.page.say(more ? TEXTS.exportedPart(count(number)) : TEXTS.exported(count(number)));
    } catch (error) {
      if (error instanceof CallError) this.page.failed(error);
      else if (!controller.signal.aborted) throw error;
    }
    this.exporting = null;
    this.page.update();
  }
}
