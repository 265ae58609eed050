/** A question in front of the page: a form that is sent or left, with the focus inside and back where it was. */

import { html, nothing } from "./lit-html.js";
import { CallError, Failure } from "./api.js";
import { TEXTS } from "./texts.js";

export class Dialog {
  constructor(page) {
    this.page = page;
    this.asked = null;
  }

  /**
   * Asks.
   * @param asked title, about, the fields' template, what the button says, and `sent`, which gets the form's data and
   *   a token that the reader has pasted because the session may not; what it answers is shown in place of the form.
   */
  ask(asked) {
    this.asked = asked;
    this.problem = null;
    this.wider = false;
    this.result = null;
    this.page.update();
    queueMicrotask(() => {
      const dialog = document.getElementById("dialog");
      if (dialog && !dialog.open) dialog.showModal();
    });
  }

  template() {
    if (!this.asked) return nothing;
    const { title, about, fields, button } = this.asked;
    return html`<dialog id="dialog" aria-labelledby="dialog-title" @close=${() => this.#closed()}><article>
      <h2 id="dialog-title">${title}</h2>
      ${this.result ?? html`
        ${about ? html`<p>${about}</p>` : nothing}
        <form @submit=${(event) => this.#submit(event)}>
          ${fields ?? nothing}
          ${this.wider ? html`<p class="notice">${TEXTS.widerAbout}</p>
            <label>${TEXTS.widerToken} <input type="password" name="wider-token" autocomplete="off" required></label>` : nothing}
          ${this.problem ? html`<p class="problems" role="alert">${this.problem}</p>` : nothing}
          <footer>
            <button type="button" class="secondary" @click=${() => this.close()}>${TEXTS.cancel}</button>
            <button type="submit">${button}</button>
          </footer>
        </form>`}
    </article></dialog>`;
  }

  close() {
    document.getElementById("dialog")?.close();
  }

  #closed() {
    this.asked = null;
    this.result = null;
    this.page.update();
  }

  async #submit(event) {
    event.preventDefault();
    const data = new FormData(event.target);
    try {
      const result = await this.asked.sent(data, data.get("wider-token")?.trim());
      if (result) this.result = result;
      else this.close();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.wider = this.wider || (error.kind === Failure.FORBIDDEN && Boolean(this.asked.widens));
      this.problem = [error.message || TEXTS.away, error.detail, ...error.validations.map(({ field, detail }) => `${field}: ${detail}`)].filter(Boolean).join(" ");
    }
    this.page.update();
  }
}
