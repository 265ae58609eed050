/** A secret that is shown this once. */

import { html } from "./lit-html.js";
import { TEXTS } from "./texts.js";

/** @param done called when the reader has taken it along. */
export function secretOnce(page, key, done) {
  return html`<p role="status">${TEXTS.minted}</p>
    <p><input type="text" readonly class="secret" aria-label=${TEXTS.token} .value=${key} @focus=${(event) => event.target.select()}></p>
    <footer>
      <button type="button" @click=${() => page.copy(key, TEXTS.copied.secret)}>${TEXTS.copySecret}</button>
      <button type="button" class="secondary" @click=${done}>${TEXTS.done}</button>
    </footer>`;
}
