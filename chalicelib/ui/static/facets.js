/** How often each value of a field occurs among what is asked: a click asks for the value, a second one no more. */

import { html, nothing } from "./lit-html.js";
import { inline } from "./text.js";
import { TEXTS, count } from "./texts.js";

const MOST_VALUES = 8;

/**
 * @param counted field -> values with their counts. @param skipped the field that the bars' legend shows already.
 * @param asked whether the filter asks for a value. @param chosen called with a field and the value that was clicked.
 */
export function facets(counted, { skipped, asked, chosen }) {
  const fields = Object.entries(counted).filter(([field, values]) => field !== skipped && values.length);
  if (!fields.length) return nothing;
  return html`<div class="facets">${fields.map(([field, values]) => html`
    <dl><dt>${TEXTS.facts[FACT_NAMES[field] ?? field] ?? field}</dt>
      ${values.slice(0, MOST_VALUES).map(({ value, count: number }) => html`<dd><button type="button" class="plain" aria-pressed=${asked(field, value)}
        @click=${() => chosen(field, value)}>${inline(value)} <small>${count(number)}</small></button></dd>`)}
    </dl>`)}</div>`;
}

const FACT_NAMES = { resource_type: "resourceType", build_reason: "buildReason", workspace_id: "workspaceId" };
