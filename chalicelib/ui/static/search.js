/** The search field: completes keys and values while the reader types, and shows what the service says of the filter. */

import { html, nothing } from "./lit-html.js";
import { completions, isPerson, keysOf } from "./filtering.js";
import { terms } from "./query.js";
import { TEXTS } from "./texts.js";

const PAUSE_MS = 600;
const NAMES_PAUSE_MS = 200;

export class Search {
  /**
   * @param changed called with the text once the reader has finished a filter.
   * @param names answers the user names that begin with a text.
   * @param update draws the page anew.
   */
  constructor({ changed, names, update }) {
    this.changed = changed;
    this.names = names;
    this.update = update;
    this.text = "";
    this.offered = { items: [], start: 0, end: 0 };
    this.chosen = -1;
    this.met = {};
  }

  /** Shows a filter that came from elsewhere: a link, a preset, the back button. */
  show(text) {
    if (text === this.applied) return;
    this.text = text;
    this.applied = text;
    this.#close();
  }

  template(view, validations) {
    this.view = view;
    const open = this.offered.items.length > 0;
    return html`<form class="search" role="search" @submit=${(event) => this.#submit(event)}>
      <input
        id="filter" type="search" aria-label=${TEXTS.filter} autocomplete="off" autocapitalize="off" spellcheck="false"
        placeholder=${TEXTS.filterHint[view]} .value=${this.text} aria-autocomplete="list"
        aria-controls=${open ? "offered" : nothing} aria-describedby=${validations.length ? "filter-problems" : nothing}
        aria-invalid=${validations.length ? "true" : nothing}
        aria-activedescendant=${this.chosen < 0 ? nothing : `offer-${this.chosen}`}
        @input=${(event) => this.#typed(event.target)} @focus=${(event) => this.#offer(event.target)}
        @click=${(event) => this.#offer(event.target)} @keydown=${(event) => this.#key(event)}
        @blur=${() => this.#left()}>
      ${open ? this.#list() : nothing}
      ${validations.length ? html`<div id="filter-problems" role="alert"><ul class="problems">
        ${validations.map(({ field, detail }) => html`<li><b>${field}</b> ${detail}</li>`)}
      </ul></div>` : nothing}
    </form>`;
  }

  #list() {
    return html`<ul id="offered" role="listbox" class="offered" aria-label=${TEXTS.suggestions}>
      ${this.offered.items.map((item, index) => html`<li
        id=${`offer-${index}`} role="option" aria-selected=${index === this.chosen}
        @mousedown=${(event) => { event.preventDefault(); this.#take(index); }}>
        <span>${item.text}</span> <small>${item.about}</small>
      </li>`)}
    </ul>`;
  }

  #typed(input) {
    this.text = input.value;
    this.#offer(input);
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.#finished() && this.#apply(), PAUSE_MS);
  }

  /** Whether every term has a key that the log knows and a value: half a term would only be refused. */
  #finished() {
    const names = new Set(keysOf(this.view).map(({ key }) => key));
    return terms(this.text).every((term) => names.has(term.key) && term.values.every(Boolean));
  }

  #offer(input) {
    this.input = input;
    this.offered = completions(this.view, this.text, input.selectionStart ?? this.text.length, this.met);
    this.chosen = -1;
    this.update();
    this.#ask();
  }

  /** Asks for names of people where one is being typed; what comes too late for the text is not offered. */
  #ask() {
    clearTimeout(this.asking);
    const { start, end } = this.offered;
    const before = this.text.slice(0, start);
    const key = /-?([a-z_]+):[^ ]*$/i.exec(before)?.[1] ?? "";
    const part = this.text.slice(start, end).replace(/^"/, "");
    if (!isPerson(this.view, key) || !part) return;
    this.asking = setTimeout(async () => {
      const text = this.text;
      const found = await this.names(part);
      if (text !== this.text || !found.length) return;
      this.met = { ...this.met, [key]: [...new Set([...(this.met[key] ?? []), ...found])] };
      this.offered = completions(this.view, text, end, this.met);
      this.update();
    }, NAMES_PAUSE_MS);
  }

  #key(event) {
    const { items } = this.offered;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Escape" && items.length) {
      event.preventDefault();
      this.#close();
    } else if (moves[event.key] && items.length) {
      event.preventDefault();
      this.chosen = (this.chosen + moves[event.key] + items.length + (this.chosen < 0 && moves[event.key] < 0 ? 1 : 0)) % items.length;
    } else if ((event.key === "Enter" || event.key === "Tab") && this.chosen >= 0) {
      event.preventDefault();
      this.#take(this.chosen);
    } else {
      return;
    }
    this.update();
  }

  #take(index) {
    const { items, start, end } = this.offered;
    const { text, finished } = items[index];
    const after = this.text.slice(end);
    const added = finished && !after.startsWith(" ") ? `${text} ` : text;
    this.text = this.text.slice(0, start) + added + after;
    const cursor = start + added.length;
    this.update();
    queueMicrotask(() => {
      this.input?.focus();
      this.input?.setSelectionRange(cursor, cursor);
      if (finished) this.#apply();
      else this.#offer(this.input);
    });
  }

  #submit(event) {
    event.preventDefault();
    this.#apply();
  }

  #left() {
    this.#close();
    if (this.#finished()) this.#apply();
  }

  #apply() {
    clearTimeout(this.pause);
    this.#close();
    const text = this.text.trim();
    if (text === this.applied) return;
    this.applied = text;
    this.changed(text);
  }

  #close() {
    clearTimeout(this.asking);
    this.offered = { items: [], start: 0, end: 0 };
    this.chosen = -1;
    this.update();
  }
}
