/** The page: who is signed in, which view is shown, and the frame around it. */

import { html, nothing, render } from "./lit-html.js";
import { CLI_AUTH, LOG_VIEWS, START, VIEWS, entered, href, read } from "./address.js";
import { CallError, Failure, get, session, signOut } from "./api.js";
import { CliAuthView } from "./cli_auth_view.js";
import { copy } from "./copying.js";
import { LogView } from "./log_view.js";
import { clock } from "./moments.js";
import { OverviewView } from "./overview_view.js";
import { RetentionView } from "./retention_view.js";
import { listen, SHORTCUTS } from "./shortcuts.js";
import { SignIn } from "./sign_in.js";
import { TEXTS } from "./texts.js";
import { TokensView } from "./tokens_view.js";

const SAID_MS = 5_000;
const MINUTE_MS = 60_000;
const WARN_BEFORE_MS = 10 * MINUTE_MS;
const NAMES = 10;

const OTHERS = { tokens: TokensView, retention: RetentionView, overview: OverviewView, [CLI_AUTH]: CliAuthView };

/** Whether somebody is signed in. */
const Who = Object.freeze({ UNKNOWN: "unknown", NOBODY: "nobody", SOMEBODY: "somebody", AWAY: "away" });

class Page {
  constructor(place) {
    this.place = place;
    this.state = read(location.search);
    this.who = Who.UNKNOWN;
    this.views = {};
    this.said = "";
    this.shortcuts = true;
    this.signIn = new SignIn({ update: () => this.update(), done: () => this.#enter() });
    addEventListener("popstate", () => this.#show(read(location.search)));
    addEventListener("unhandledrejection", (event) => this.#unforeseen(event));
    listen(() => this.shortcuts);
    setInterval(() => this.update(), MINUTE_MS); // so that the end of the session is announced to who only reads
    this.#begin();
  }

  /** Draws the page anew, once for all that changes in one go. */
  update() {
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      render(this.#template(), this.place);
    });
  }

  /** Goes to a state: the parts that are given, and the others as they are. */
  go(parts, { replace = false } = {}) {
    const state = { ...this.state, ...parts };
    history[replace ? "replaceState" : "pushState"](null, "", href(state));
    this.#show(state);
  }

  /** Follows a link to a state without loading the page anew. */
  follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const state = read(new URL(event.currentTarget.href).search);
    const moved = state.view !== this.state.view;
    this.go(state);
    if (moved) this.#focusTitle();
  };

  /** Tells the reader something that needs no answer. */
  say(text) {
    clearTimeout(this.saying);
    this.said = text;
    this.update();
    this.saying = setTimeout(() => {
      this.said = "";
      this.update();
    }, SAID_MS);
  }

  /** Tells the reader of a call that failed. */
  failed(error) {
    if (error.kind === Failure.SIGNED_OUT) this.#signedOut();
    else this.say([error.message || TEXTS.away, error.detail].filter(Boolean).join(" "));
  }

  async copy(text, said) {
    try {
      await copy(text);
      this.say(said);
    } catch {
      this.say(TEXTS.copyFailed);
    }
  }

  /** User names that begin with a text. */
  async userNames(part) {
    try {
      const { users } = await get("users", { q: part, limit: NAMES });
      return users.map(({ username }) => username).filter((name) => name.toLowerCase().startsWith(part.toLowerCase()));
    } catch (error) {
      if (error instanceof CallError) return [];
      throw error;
    }
  }

  /** The address of a row's resource in Coder's dashboard; "" where it has none or the dashboard is not known. */
  resourceLink({ resource_link: path }) {
    const { dashboard_url: dashboard } = this.session;
    return dashboard && /^\/(?![/\\])/.test(path ?? "") ? `${dashboard}${path}` : "";
  }

  /** Begins for who has just signed in: the field where the cursor was is gone. */
  async #enter() {
    await this.#begin();
    this.#focusTitle();
  }

  #focusTitle() {
    queueMicrotask(() => document.getElementById("title")?.focus());
  }

  async #begin() {
    try {
      this.session = await session();
      this.who = Who.SOMEBODY;
      this.expired = false;
      this.#show(read(location.search));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.who = error.kind === Failure.SIGNED_OUT ? Who.NOBODY : Who.AWAY;
      this.update();
      this.#ask();
    }
  }

  #show(state) {
    const before = this.state;
    this.state = state;
    if (this.who === Who.SOMEBODY) {
      if (before.view !== state.view) this.views[before.view]?.leave();
      this.views[state.view] ??= this.#made(state.view);
      this.views[state.view].enter(state);
    }
    document.title = `${TEXTS.views[state.view]} · ${TEXTS.title}`;
    this.update();
  }

  #made(view) {
    return LOG_VIEWS.includes(view) ? new LogView(this) : new OTHERS[view](this);
  }

  #signedOut() {
    if (this.who !== Who.SOMEBODY) return;
    this.who = Who.NOBODY;
    this.expired = true;
    for (const view of Object.values(this.views)) view.leave();
    this.views = {};
    this.update();
    this.#ask();
  }

  /** Puts the cursor where the token goes. */
  #ask() {
    queueMicrotask(() => document.getElementById("token")?.focus());
  }

  #unforeseen({ reason }) {
    if (reason instanceof CallError) this.failed(reason);
  }

  async #leave() {
    try {
      await signOut();
    } catch (error) {
      return this.failed(error);
    }
    this.#signedOut();
    this.expired = false;
    return this.update();
  }

  #template() {
    return html`<a class="skip" href="#main">${TEXTS.skip}</a>
      ${this.#header()}
      <main id="main" class=${this.who === Who.SOMEBODY ? this.state.view : "outside"}>${this.#main()}</main>
      <p class=${this.said ? "said" : "said nothing"} role="status">${this.said}</p>`;
  }

  #header() {
    const { state } = this;
    const inside = this.who === Who.SOMEBODY;
    return html`<header class="top">
      <a class="brand" href=${href(START)} @click=${this.follow}>${TEXTS.title}</a>
      ${inside ? html`<nav aria-label=${TEXTS.navigation}><ul>
        ${VIEWS.map((view) => html`<li><a href=${href(entered(state, view))} aria-current=${view === state.view ? "page" : nothing}
          @click=${this.follow}>${TEXTS.views[view]}</a></li>`)}
      </ul></nav>
      <details class="menu keys"><summary role="button" aria-label=${TEXTS.shortcuts}>⌨</summary><div class="panel">
        <label><input type="checkbox" role="switch" .checked=${this.shortcuts} @change=${(event) => {
          this.shortcuts = event.target.checked;
          this.update();
        }}> ${TEXTS.shortcutsOn}</label>
        <dl class="facts">${Object.entries(SHORTCUTS).map(([key, name]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${TEXTS.shortcutNames[name]}</dd></div>`)}</dl>
      </div></details>
      <span class="who"><span class="visually-hidden">${TEXTS.signedInAs("")}</span> ${this.session.username}</span>
      <button type="button" class="small secondary" @click=${() => this.#leave()}>${TEXTS.signOut}</button>` : nothing}
    </header>`;
  }

  #main() {
    switch (this.who) {
      case Who.UNKNOWN:
        return nothing;
      case Who.NOBODY:
        return this.signIn.template(this.expired);
      case Who.AWAY:
        return html`<div class="notice failed" role="alert"><p><b>${TEXTS.away}</b></p>
          <button type="button" @click=${() => this.#begin()}>${TEXTS.tryAgain}</button></div>`;
      default:
        return html`${this.#ending()}${this.views[this.state.view].template()}`;
    }
  }

  #ending() {
    const end = this.session.expires_at;
    if (new Date(end) - Date.now() > WARN_BEFORE_MS) return nothing;
    return html`<p class="notice" role="status">${TEXTS.sessionEnds(clock(end, this.state.zone))}
      <button type="button" class="small" @click=${() => this.#signedOut()}>${TEXTS.renew}</button></p>`;
  }
}

new Page(document.getElementById("page"));
