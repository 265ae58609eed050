/** Events over time: stacked bars by value, a drag over them sets the range, a click on the legend the filter. */

import { html, nothing, svg } from "./lit-html.js";
import { short, zoneName } from "./moments.js";
import { TEXTS, count } from "./texts.js";

const WIDTH = 1_000;
const HEIGHT = 96;
const GAP = 2;
const COLOURS = 8;
const OTHER = "other";
const SMALLEST_DRAG = 6;

export class Bars {
  /** @param ranged called with the moments that a drag has gone over. @param update draws the page anew. */
  constructor({ ranged, update }) {
    this.ranged = ranged;
    this.update = update;
    this.drag = null;
  }

  /**
   * @param summary as the service answers it. @param asked whether a value is what the filter asks for.
   * @param field the field by whose values the bars are coloured. @param chosen called with the value of the legend that was clicked.
   */
  template(summary, { zone, field, name, asked, chosen }) {
    const totals = totalsOf(summary, field);
    const values = ordered(totals);
    const most = Math.max(1, ...summary.buckets.map((bucket) => bucket.count));
    const total = summary.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    const more = summary.buckets.some(({ partial }) => partial) ? "+" : "";
    const about = TEXTS.barsAbout(`${count(total)}${more}`, short(summary.from, zone), short(summary.to, zone));
    return html`<figure class="bars">
      <figcaption>
        <span>${this.drag ? this.#dragged(summary, zone) : about} ${zoneName(zone)}${qualified(summary)}</span>
        <span class="scale">${TEXTS.mostAtOnce(count(most))}</span>
      </figcaption>
      <svg role="img" aria-label=${TEXTS.eventsOverTime} viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"
        @pointerdown=${(event) => this.#begin(event)} @pointermove=${(event) => this.#move(event)}
        @pointerup=${(event) => this.#end(event, summary)} @pointercancel=${() => this.#cancel()}>
        <desc>${about}</desc>
        ${summary.buckets.map((bucket, index) => stack(bucket, index, summary.buckets.length, values, most, zone))}
        ${this.drag ? svg`<rect class="drag" x=${Math.min(this.drag.from, this.drag.to)} y="0"
          width=${Math.abs(this.drag.to - this.drag.from)} height=${HEIGHT}></rect>` : nothing}
      </svg>
      ${values.length ? html`<ul class="legend" aria-label=${name}>
        ${values.map((value, index) => html`<li><button type="button" class="plain" aria-pressed=${asked(value)}
          ?disabled=${value === OTHER} @click=${() => chosen(value)}>
          <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="series-${index}" width="10" height="10"></rect></svg>
          ${value} <small>${count(totalOf(totals, value, values))}</small>
        </button></li>`)}
        ${summary.buckets.some(isUnsplit) ? html`<li class="unsplit">
          <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="series-unsplit" width="10" height="10"></rect></svg>
          ${TEXTS.unsplit}</li>` : nothing}
      </ul>` : nothing}
    </figure>`;
  }

  #at(event) {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(WIDTH, Math.max(0, ((event.clientX - box.left) / box.width) * WIDTH));
  }

  #begin(event) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.drag = { from: this.#at(event), to: this.#at(event) };
    this.update();
  }

  #move(event) {
    if (!this.drag) return;
    this.drag = { ...this.drag, to: this.#at(event) };
    this.update();
  }

  #end(event, summary) {
    if (!this.drag) return;
    const { from, to } = { ...this.drag, to: this.#at(event) };
    this.drag = null;
    const [start, end] = [Math.min(from, to), Math.max(from, to)];
    // A click takes the bar that it is on.
    const width = WIDTH / summary.buckets.length;
    const [left, right] = end - start < SMALLEST_DRAG ? [Math.floor(start / width) * width, (Math.floor(start / width) + 1) * width] : [start, end];
    this.ranged(momentAt(summary, left), momentAt(summary, Math.min(right, WIDTH)));
  }

  #cancel() {
    this.drag = null;
    this.update();
  }

  #dragged(summary, zone) {
    const [start, end] = [this.drag.from, this.drag.to].sort((one, other) => one - other);
    return TEXTS.dragged(short(momentAt(summary, start), zone), short(momentAt(summary, end), zone));
  }
}

function stack(bucket, index, buckets, values, most, zone) {
  const width = WIDTH / buckets;
  let top = HEIGHT;
  const part = (number, series) => {
    const height = (number / most) * (HEIGHT - GAP);
    top -= height;
    return number ? svg`<rect class="series-${series}" x=${index * width + GAP / 2} y=${top}
      width=${Math.max(1, width - GAP)} height=${Math.max(1, height)}></rect>` : nothing;
  };
  const parts = isUnsplit(bucket) ? part(bucket.count, "unsplit") : values.map((value, series) => part(totalOf(countsOf(bucket), value, values), series));
  const said = Object.entries(bucket.values ?? {}).map(([value, number]) => `${value} ${number}`).join(", ");
  return svg`<g class=${bucket.partial ? "bucket partial" : "bucket"}>
    <title>${short(bucket.from, zone)}: ${bucket.count}${bucket.partial ? "+" : ""}${said ? ` (${said})` : ""}</title>
    <rect class="hover" x=${index * width} y="0" width=${width} height=${HEIGHT}></rect>${parts}</g>`;
}

/** Whether the rows of a span were counted and not read, so that nobody knows how many have which value. */
const isUnsplit = ({ count: number, values }) => number > 0 && !values;

const countsOf = ({ values = {} }) => new Map(Object.entries(values));

/** How many rows have each value: as the service counted them for the whole range, or else those of the bars. */
function totalsOf({ buckets, facets = {} }, field) {
  const totals = new Map();
  for (const bucket of buckets) {
    for (const [value, number] of countsOf(bucket)) totals.set(value, (totals.get(value) ?? 0) + number);
  }
  for (const { value, count: number } of facets[field] ?? []) totals.set(value, number);
  return totals;
}

/** The values by how often they occur; beyond as many as there are colours they are drawn as one. */
function ordered(totals) {
  const names = [...totals.keys()].sort((one, other) => totals.get(other) - totals.get(one) || one.localeCompare(other, "en"));
  return names.length > COLOURS ? [...names.slice(0, COLOURS - 1), OTHER] : names;
}

function totalOf(totals, value, values) {
  if (value !== OTHER || totals.has(OTHER)) return totals.get(value) ?? 0;
  return [...totals].reduce((total, [name, number]) => (values.includes(name) ? total : total + number), 0);
}

function momentAt({ from, to }, x) {
  const [start, end] = [new Date(from).getTime(), new Date(to).getTime()];
  return new Date(start + ((end - start) * x) / WIDTH).toISOString();
}

const qualified = ({ approximate, partial }) =>
  `${approximate ? `, ${TEXTS.approximate}` : ""}${partial ? `, ${TEXTS.counted}` : ""}`;
