/** How often each value of a field occurs among what is asked: a click asks for the value, a second one no more. */

import { html, nothing } from "./lit-html.js";
import { NIL } from "./pivots.js";
import { inline } from "./text.js";
import { TEXTS, count } from "./texts.js";

const MOST_VALUES = 5;

/**
 * @param counted field -> values with their counts, and of an id the name, "" where nothing has it any more. @param skipped the field that the bars' legend shows already.
 * @param asked whether the filter asks for a value. @param chosen called with a field and the value that was clicked.
 */
export function facets(counted, { skipped, asked, chosen }) {
  const fields = Object.entries(counted).filter(([field, values]) => field !== skipped && values.length);
  if (!fields.length) return nothing;
  return html`<div class="facets">${fields.map(([field, values]) => html`
    <dl><dt>${TEXTS.facts[FACT_NAMES[field] ?? field] ?? field}</dt>
      ${values.slice(0, MOST_VALUES).map((one) => html`<dd>${counting(field, one, asked, chosen)}</dd>`)}
    </dl>`)}</div>`;
}

/** One value with its count. An id whose name is gone cannot be asked for by it. */
function counting(field, { value, name = value, count: number, partial }, asked, chosen) {
  const text = html`${value === NIL ? html`<em>${TEXTS.nobody}</em>` : inline(name || value)} <small>${count(number)}${partial ? "+" : ""}</small>`;
  if (!name) return text;
  return html`<button type="button" class="plain" aria-pressed=${asked(field, name)} @click=${() => chosen(field, name)}>${text}</button>`;
}

const FACT_NAMES = {
  username: "user", workspace_owner: "owner", ip: "address", resource_type: "resourceType", build_reason: "buildReason", workspace_id: "workspaceId",
};
