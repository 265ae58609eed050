/** What a change made of a resource: old and new side by side, told apart by signs as well as by colour. */

import { html, nothing } from "./lit-html.js";
import { block } from "./text.js";
import { TEXTS } from "./texts.js";

const SECRET = "••••••••";

/** @param diff field -> old, new, and whether it is secret. */
export function diffTable(diff) {
  const fields = Object.entries(diff ?? {}).sort(([one], [other]) => one.localeCompare(other, "en"));
  if (!fields.length) return nothing;
  return html`<div class="scrolled" tabindex="0" role="region" aria-label=${TEXTS.changes}><table class="diff">
    <caption>${TEXTS.changes}</caption>
    <thead><tr><th scope="col">${TEXTS.field}</th><th scope="col">${TEXTS.before}</th><th scope="col">${TEXTS.after}</th></tr></thead>
    <tbody>${fields.map(([name, change]) => html`<tr>
      <th scope="row">${block(name)}</th>
      <td class="old">${side("−", change, change.old)}</td>
      <td class="new">${side("+", change, change.new)}</td>
    </tr>`)}</tbody>
  </table></div>`;
}

function side(sign, change, value) {
  if (change.secret) return html`<span class="sign">${sign}</span> <span aria-label=${TEXTS.secret} role="img">${SECRET}</span>`;
  if (value === undefined || value === null || value === "") return html`<span class="sign">${sign}</span> <em class="empty">${TEXTS.empty}</em>`;
  return html`<span class="sign">${sign}</span> ${block(typeof value === "string" ? value : JSON.stringify(value, null, 1))}`;
}
