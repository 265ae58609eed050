/** The range of time: the last minutes to ninety days, or from and to; with the zone, which is always said. */

import { html, nothing } from "./lit-html.js";
import { Zone } from "./address.js";
import { LASTS, bounds, fromInput, short, toInput, zoneName } from "./moments.js";
import { TEXTS } from "./texts.js";

/** What the range is, in words. */
export function rangeName(state) {
  if (LASTS[state.last]) return TEXTS.lasts[state.last];
  const { from, to } = bounds(state);
  if (!from && !to) return TEXTS.allTime;
  return TEXTS.fromTo(from && short(from, state.zone), to && short(to, state.zone));
}

/** @param changed called with the parts of the state that the reader has set. */
export function range(state, changed) {
  const close = (event) => event.target.closest("details")?.removeAttribute("open");
  const set = (event, part) => {
    close(event);
    changed(part);
  };
  const { from, to } = bounds(state);
  return html`<details class="menu range" @focusout=${left} @keydown=${escaped}>
    <summary role="button" aria-label=${`${TEXTS.range}: ${rangeName(state)}, ${zoneName(state.zone)}`}>
      ${rangeName(state)} <small>${zoneName(state.zone)}</small>
    </summary>
    <div class="panel">
      <ul class="choices" aria-label=${TEXTS.range}>
        ${Object.keys(LASTS).map((last) => html`<li><button type="button" class="plain" aria-pressed=${state.last === last}
          @click=${(event) => set(event, { last, from: "", to: "" })}>${TEXTS.lasts[last]}</button></li>`)}
        <li><button type="button" class="plain" aria-pressed=${!state.last && !from && !to}
          @click=${(event) => set(event, { last: "", from: "", to: "" })}>${TEXTS.allTime}</button></li>
      </ul>
      <form @submit=${(event) => {
        event.preventDefault();
        const given = new FormData(event.target);
        const [start, end] = ["from", "to"].map((name) => fromInput(given.get(name), state.zone));
        if (!start && !end) return;
        const turned = start && end && start > end;
        set(event, { last: "", from: turned ? end : start, to: turned ? start : end });
      }}>
        <label>${TEXTS.from} <input type="datetime-local" name="from" step="1" .value=${toInput(from, state.zone)}></label>
        <label>${TEXTS.to} <input type="datetime-local" name="to" step="1" .value=${toInput(to, state.zone)}></label>
        <button type="submit">${TEXTS.apply}</button>
        <fieldset class="zones">
          <legend>${TEXTS.zone}</legend>
          ${Object.values(Zone).map((zone) => html`<label><input type="radio" name="zone" .checked=${state.zone === zone}
            @change=${() => changed({ zone })}> ${zoneName(zone)}${zone === Zone.LOCAL ? html` <small>${TEXTS.local}</small>` : nothing}</label>`)}
        </fieldset>
      </form>
    </div>
  </details>`;
}

/** Closes a menu when the focus goes elsewhere. */
export function left(event) {
  if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) event.currentTarget.removeAttribute("open");
}

/** Closes a menu at Escape, with the focus where it was opened. */
export function escaped(event) {
  if (event.key !== "Escape" || !event.currentTarget.open) return;
  event.stopPropagation();
  event.currentTarget.removeAttribute("open");
  event.currentTarget.querySelector("summary").focus();
}
