/** What `coder login` opens: a token for whoever is signed in, made when asked for and shown this once. */

import { html, nothing } from "./lit-html.js";
import { send } from "./api.js";
import { Dialog } from "./dialogs.js";
import { secretOnce } from "./secret.js";
import { TEXTS } from "./texts.js";

export class CliAuthView {
  constructor(page) {
    this.page = page;
    this.dialog = new Dialog(page);
  }

  enter() {}

  leave() {}

  template() {
    return html`<h1 tabindex="-1" id="title">${TEXTS.cliAuth}</h1>
      <p>${TEXTS.cliAuthAbout}</p>
      <button type="button" @click=${() => this.#ask()}>${TEXTS.cliAuthMake}</button>
      ${this.dialog.template()}`;
  }

  #ask() {
    this.dialog.ask({
      title: TEXTS.cliAuth, button: TEXTS.cliAuthMake, widens: true, fields: nothing,
      sent: async (_data, token) => {
        const { key } = await send("POST", "users/me/keys", {}, { token });
        return secretOnce(this.page, key, () => this.dialog.close());
      },
    });
  }
}
