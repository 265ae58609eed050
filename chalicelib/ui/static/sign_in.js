/** Signing in: a token is pasted, exchanged for the cookie of a session, and forgotten. */

import { html, nothing } from "./lit-html.js";
import { CallError, Failure, signIn } from "./api.js";
import { TEXTS } from "./texts.js";

export class SignIn {
  /** @param update draws the page anew. @param done called once there is a session. */
  constructor({ update, done }) {
    this.update = update;
    this.done = done;
    this.busy = false;
    this.problem = "";
  }

  /** @param expired whether there was a session before. */
  template(expired) {
    return html`<section class="sign-in">
      <h1 id="title" tabindex="-1">${TEXTS.signIn}</h1>
      ${expired ? html`<p role="status">${TEXTS.signInExpired}</p>` : nothing}
      <form @submit=${(event) => this.#submit(event)}>
        <label for="token">${TEXTS.token}</label>
        <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required
          aria-describedby="token-about" aria-invalid=${this.problem ? "true" : nothing}>
        ${this.problem ? html`<p class="problems" role="alert">${this.problem}</p>` : nothing}
        <small id="token-about">${TEXTS.signInAbout}</small>
        <button type="submit" aria-busy=${this.busy ? "true" : nothing}>${TEXTS.signIn}</button>
      </form>
    </section>`;
  }

  async #submit(event) {
    event.preventDefault();
    const field = event.target.elements.token;
    const token = field.value.trim();
    if (!token || this.busy) return;
    this.busy = true;
    this.problem = "";
    this.update();
    try {
      await signIn(token);
      field.value = "";
      this.done();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.problem = error.kind === Failure.AWAY ? TEXTS.away : [TEXTS.signInWrong, error.detail].join(" ");
    }
    this.busy = false;
    this.update();
  }
}
