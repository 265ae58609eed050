/** Tokens: the reader's own, and everybody's for who may read them; minted, narrowed, rotated, ended. */

import { html, nothing } from "./lit-html.js";
import { YES, entered, href } from "./address.js";
import { get, getAll, send } from "./api.js";
import { known } from "./filtering.js";
import { LoadedView } from "./loaded.js";
import { duration, short } from "./moments.js";
import { written } from "./query.js";
import { secretOnce } from "./secret.js";
import { block, inline } from "./text.js";
import { TEXTS } from "./texts.js";

const NANOSECONDS_A_MINUTE = 60e9;
export const EVERY_SCOPE = "coder:all";
const ANYTHING = "*:*";
const PAGE_SESSION = "page-session-";
const MOST_SCOPES = 4;

const lines = (text) => String(text ?? "").split(/[\s,]+/).filter(Boolean);
const hours = (text) => Number(text.replace("h", "")) * 60 * NANOSECONDS_A_MINUTE;
const keyPath = ({ user_id: user, id }, rest = "") => `users/${encodeURIComponent(user)}/keys/${encodeURIComponent(id)}${rest}`;

export class TokensView extends LoadedView {
  template() {
    return html`<h1 tabindex="-1" id="title">${TEXTS.views.tokens}</h1>
      <div class="toolbar">
        <span class="position"></span>
        <label><input type="checkbox" role="switch" .checked=${!this.state.own} @change=${({ target }) => this.#set("own", !target.checked)}> ${TEXTS.allTokens}</label>
        <label><input type="checkbox" role="switch" .checked=${Boolean(this.state.expired)} @change=${({ target }) => this.#set("expired", target.checked)}> ${TEXTS.showExpired}</label>
        <button type="button" @click=${() => this.#mint()}>${TEXTS.mint}</button>
      </div>
      ${this.loaded.template((tokens) => this.#table(tokens))}
      ${this.dialog.template()}`;
  }

  async read() {
    const parameters = { include_all: !this.state.own || undefined, include_expired: Boolean(this.state.expired) || undefined };
    const [tokens, scopes] = await Promise.all([getAll("users/me/keys/tokens", parameters), this.scopes ?? get("auth/scopes", { details: true })]);
    this.scopes = scopes;
    return tokens;
  }

  #set(name, isSet) {
    this.page.go({ [name]: isSet ? YES : "" }, { replace: true });
  }

  #table(tokens) {
    if (!tokens.length) return html`<p class="notice">${TEXTS.nothingYet}</p>`;
    return html`<div class="scrolled" tabindex="0" role="region" aria-label=${TEXTS.views.tokens}><table aria-label=${TEXTS.results} class="listing">
      <thead><tr>${TEXTS.tokenColumns.map((name) => html`<th scope="col">${name || html`<span class="visually-hidden">${TEXTS.actions}</span>`}</th>`)}</tr></thead>
      <tbody>${[...tokens].reverse().map((token) => this.#row(token))}</tbody>
    </table></div>`;
  }

  #row(token) {
    const { zone } = this.state;
    const ended = new Date(token.expires_at) <= new Date();
    const left = new Date(token.expires_at) - Date.now();
    return html`<tr class=${ended ? "ended" : ""}>
      <th scope="row">${inline(token.token_name)} ${token.token_name.startsWith(PAGE_SESSION) ? html`<small>${TEXTS.thisSession}</small>` : nothing}<br><code>${inline(token.id)}</code></th>
      <td>${inline(token.username ?? "")}</td>
      <td>${scopeList(token.scopes)}${objects(token)}</td>
      <td>${wasUsed(token) ? short(token.last_used, zone) : TEXTS.never}</td>
      <td>${short(token.expires_at, zone)} <small>${ended ? TEXTS.expired : duration(left)}</small></td>
      <td class="actions">${this.#actions(token, ended)}</td>
    </tr>`;
  }

  #actions(token, ended) {
    const named = (text) => `${text}: ${token.token_name.slice(0, 80)}`;
    const action = (text, ask) => html`<button type="button" class="small" aria-label=${named(text)} @click=${ask}>${text}</button> `;
    const did = known("audit", "api_key_id");
    const trail = { ...entered(this.state, "audit"), q: did ? written(did, token.id) : written("username", token.username ?? "") };
    return html`
      ${ended ? nothing : html`${action(TEXTS.narrow, () => this.#narrow(token))}${action(TEXTS.rotate, () => this.#rotate(token))}
        ${action(TEXTS.expire, () => this.#end(token, TEXTS.expire, TEXTS.expireAbout, () => send("PUT", keyPath(token, "/expire"), {})))}`}
      ${action(TEXTS.remove, () => this.#end(token, TEXTS.remove, TEXTS.removeAbout, () => send("DELETE", keyPath(token))))}
      ${did || token.username ? html`<a href=${href(trail)} aria-label=${named(TEXTS.whatItDid)} @click=${this.page.follow}>${TEXTS.whatItDid}</a>` : nothing}`;
  }

  #mint() {
    this.dialog.ask({
      title: TEXTS.mint, about: TEXTS.mintAbout, button: TEXTS.mint, widens: true,
      fields: html`
        <label>${TEXTS.name} <input name="token_name" maxlength="256" autocomplete="off"></label>
        <label>${TEXTS.lifetime} <select name="lifetime">${Object.entries(TEXTS.lifetimes).map(([value, text]) => html`<option value=${value} ?selected=${value === "24h"}>${text}</option>`)}</select></label>
        ${this.#bounds([], [], [])}`,
      sent: (data, token) => this.#secret(send("POST", "users/me/keys/tokens", {
        token_name: data.get("token_name").trim(), lifetime: hours(data.get("lifetime")), ...boundsGiven(data),
      }, { token })),
    });
  }

  #narrow(token) {
    this.dialog.ask({
      title: `${TEXTS.narrow}: ${token.token_name.slice(0, 80)}`, about: TEXTS.narrowAbout, button: TEXTS.narrow,
      fields: html`${this.#bounds(token.scopes, token.allow_list, token.allowed_ips ?? [])}
        <label>${TEXTS.ends} <select name="lifetime"><option value="">${TEXTS.keepEnd}</option>
          ${Object.entries(TEXTS.lifetimes).map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select></label>`,
      sent: async (data) => {
        const lifetime = data.get("lifetime");
        const given = Object.entries(boundsGiven(data)).filter(([, values]) => values.length);
        if (lifetime) given.push(["expires_at", new Date(Date.now() + hours(lifetime) / 1e6).toISOString()]);
        await send("PATCH", keyPath(token), Object.fromEntries(given));
        await this.loaded.load();
      },
    });
  }

  #rotate(token) {
    this.dialog.ask({
      title: `${TEXTS.rotate}: ${token.token_name.slice(0, 80)}`, about: TEXTS.rotateAbout, button: TEXTS.rotate, widens: true,
      fields: html`<label>${TEXTS.grace} <select name="grace">${Object.entries(TEXTS.graces).map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select></label>`,
      sent: (data, pasted) => this.#secret(send("POST", keyPath(token, "/rotate"), { grace: Number(data.get("grace")) * NANOSECONDS_A_MINUTE }, { token: pasted })),
    });
  }

  #end(token, title, about, call) {
    this.dialog.ask({
      title: `${title}: ${token.token_name.slice(0, 80)}`, about, button: title,
      sent: async () => {
        await call();
        await this.loaded.load();
      },
    });
  }

  /** What is shown in place of the form: the secret, this once. */
  async #secret(call) {
    const { key } = await call;
    await this.loaded.load();
    return secretOnce(this.page, key, () => this.dialog.close());
  }

  #bounds(scopes, allowList, networks) {
    return html`
      <label>${TEXTS.scopes} <textarea name="scopes" rows="3" spellcheck="false" placeholder=${TEXTS.scopesHint} .value=${scopes.join("\n")}></textarea></label>
      <details class="more"><summary>${TEXTS.scopes}</summary><dl class="facts">
        ${(this.scopes?.details ?? []).map(({ name, description }) => html`<div><dt><code>${name}</code></dt><dd>${description}</dd></div>`)}
      </dl></details>
      <label>${TEXTS.allowList} <textarea name="allow_list" rows="2" spellcheck="false" placeholder=${TEXTS.allowListHint} .value=${allowList.filter((entry) => entry !== ANYTHING).join("\n")}></textarea></label>
      <label>${TEXTS.allowedIps} <textarea name="allowed_ips" rows="2" spellcheck="false" placeholder=${TEXTS.allowedIpsHint} .value=${networks.join("\n")}></textarea></label>`;
  }
}

/** The moment that stands for never is the zero of some clock, Go's or Unix'. */
const wasUsed = ({ last_used: time }) => new Date(time).getTime() > 0;

const boundsGiven = (data) => ({
  scopes: lines(data.get("scopes")), allow_list: lines(data.get("allow_list")), allowed_ips: lines(data.get("allowed_ips")),
});

function scopeList(scopes) {
  if (scopes.includes(EVERY_SCOPE)) return html`<span class="badge warning">${TEXTS.allScopes}</span>`;
  const shown = scopes.slice(0, MOST_SCOPES).map((scope) => html`<span class="badge">${inline(scope)}</span> `);
  if (scopes.length <= MOST_SCOPES) return shown;
  return html`${shown}<details class="more"><summary>+ ${scopes.length - MOST_SCOPES}</summary>${scopes.slice(MOST_SCOPES).map((scope) => html`<span class="badge">${inline(scope)}</span> `)}</details>`;
}

function objects({ allow_list: entries, allowed_ips: networks }) {
  const bound = [...entries.filter((entry) => entry !== ANYTHING), ...(networks ?? [])];
  return bound.length ? html`<br><small>${block(bound.join(" "))}</small>` : nothing;
}
