/** What a view reads when it is entered: loading, there, or failed, and read again after a change. */

import { html, nothing } from "./lit-html.js";
import { CallError, Failure } from "./api.js";
import { Dialog } from "./dialogs.js";
import { failure } from "./states.js";
import { TEXTS } from "./texts.js";

export const SAY_LOADING_AFTER_MS = 300;

class Loaded {
  /** @param read answers what the view shows. */
  constructor(page, read) {
    this.page = page;
    this.read = read;
  }

  /** Reads anew; what was there stays until the new is. */
  load = async () => {
    const turn = Symbol("turn");
    this.turn = turn;
    this.error = undefined;
    this.slow = false;
    const waiting = setTimeout(() => {
      this.slow = true;
      this.page.update();
    }, SAY_LOADING_AFTER_MS);
    try {
      const value = await this.read();
      if (this.turn === turn) this.value = value;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (this.turn === turn) this.error = error;
      if (error.kind === Failure.SIGNED_OUT) this.page.failed(error);
    }
    clearTimeout(waiting);
    this.page.update();
  };

  /** @param content the template of what was read. */
  template(content) {
    if (this.error) return failure(this.page, this.error, this.load);
    if (this.value !== undefined) return content(this.value);
    return this.slow ? html`<p class="notice" aria-busy="true">${TEXTS.loading} …</p>` : nothing;
  }
}

/** A view that shows what it reads when it is entered, and may ask. What extends it has `read` and `template`. */
export class LoadedView {
  constructor(page) {
    this.page = page;
    this.dialog = new Dialog(page);
    this.loaded = new Loaded(page, () => this.read());
  }

  enter(state) {
    this.state = state;
    this.loaded.load();
  }

  leave() {}
}
