/** What the reader is told when a call fails, and what they can do about it. */

import { html, nothing } from "./lit-html.js";
import { Failure } from "./api.js";
import { TEXTS } from "./texts.js";

/** @param again asks the same once more. */
export function failure(page, error, again) {
  switch (error.kind) {
    case Failure.SIGNED_OUT:
      return nothing; // The page itself asks to sign in.
    case Failure.FORBIDDEN:
      return notice(TEXTS.noRight, error.detail || error.message);
    case Failure.MISSING:
      return notice(TEXTS.notThere, error.message);
    case Failure.INVALID:
      return notice(error.message, [error.detail, ...error.validations.map(({ detail }) => detail)].filter(Boolean).join(" "));
    default:
      return html`${notice(TEXTS.away, error.detail)}<p><button type="button" @click=${again}>${TEXTS.tryAgain}</button></p>`;
  }
}

const notice = (title, about) => html`<div class="notice failed" role="alert"><p><b>${title}</b></p>${about ? html`<p>${about}</p>` : nothing}</div>`;
