/** Retention: how long what is kept, what waits to be deleted, what runs did, and the holds that keep more. */

import { html, nothing } from "./lit-html.js";
import { CallError, Failure, get, send } from "./api.js";
import { LoadedView } from "./loaded.js";
import { duration, short } from "./moments.js";
import { block, inline } from "./text.js";
import { TEXTS, count } from "./texts.js";

const MILLISECONDS = 1e6;

export class RetentionView extends LoadedView {
  template() {
    return html`<h1 tabindex="-1" id="title">${TEXTS.views.retention}</h1>
      ${this.loaded.template((value) => this.#content(value))}${this.dialog.template()}`;
  }

  /** Holds are for those who may change retention: to others they are not there. */
  async read() {
    const [retention, holds] = await Promise.all([
      get("retention"),
      get("retention/holds").catch((error) => {
        if (error instanceof CallError && error.kind === Failure.FORBIDDEN) return null;
        throw error;
      }),
    ]);
    return { ...retention, holds: holds?.holds ?? null };
  }

  #content({ policy, cutoffs, waiting, waiting_cap: cap, running, runs, holds }) {
    const { zone } = this.state;
    const more = (number) => (number > cap ? `${count(cap)}+` : count(number));
    return html`<h2>${TEXTS.policy}</h2>
      ${table(TEXTS.policy, TEXTS.retentionColumns, Object.keys(TEXTS.dataSets).filter((name) => name in cutoffs).map((name) => html`<tr>
        <th scope="row">${TEXTS.dataSets[name]}</th>
        <td>${policy[name] > 0 ? duration(policy[name] / MILLISECONDS) : TEXTS.keptForever}</td>
        <td>${cutoffs[name] ? short(cutoffs[name], zone) : TEXTS.everythingKept}</td>
        <td>${more(waiting[name] ?? 0)}</td></tr>`))}
      ${policy.keep_ongoing ? html`<p>${TEXTS.keepOngoing}</p>` : nothing}
      ${running ? html`<p class="notice">${TEXTS.running(short(running.started_at, zone))}</p>` : nothing}
      <div class="toolbar"><h2 class="position">${TEXTS.runs}</h2>
        ${holds ? html`<button type="button" class="small" @click=${() => this.#try()}>${TEXTS.dryRun}</button>` : nothing}</div>
      ${runs.length ? table(TEXTS.runs, TEXTS.runColumns, runs.map((run) => this.#run(run))) : html`<p class="notice">${TEXTS.noRuns}</p>`}
      ${holds ? this.#holds(holds) : nothing}`;
  }

  #run({ started_at: began, finished_at: end, purged, remaining, error, dry_run: dry }) {
    const { zone } = this.state;
    return html`<tr><th scope="row">${short(began, zone)}${dry ? html` <span class="badge">${TEXTS.dry}</span>` : nothing}</th>
      <td>${end ? duration(new Date(end) - new Date(began)) : TEXTS.underWay}</td>
      <td>${deleted(purged)}</td><td>${remaining ? TEXTS.more : TEXTS.none}</td><td>${error ? block(error) : TEXTS.none}</td></tr>`;
  }

  #holds(holds) {
    return html`<div class="toolbar"><h2 class="position">${TEXTS.holds}</h2>
      <button type="button" class="small" @click=${() => this.#place()}>${TEXTS.placeHold}</button></div>
      <p>${TEXTS.holdsAbout}</p>
      ${holds.length ? table(TEXTS.holds, TEXTS.holdColumns, holds.map((hold) => html`<tr><th scope="row">${inline(hold.name)}</th>
        <td>${TEXTS.logNames[hold.log]}</td><td><code>${inline(hold.q)}</code></td><td>${block(hold.reason)}</td>
        <td>${short(hold.created_at, this.state.zone)}</td>
        <td><button type="button" class="small" aria-label=${`${TEXTS.lift}: ${hold.name}`} @click=${() => this.#lift(hold)}>${TEXTS.lift}</button></td></tr>`))
        : html`<p class="notice">${TEXTS.noHolds}</p>`}`;
  }

  #place() {
    this.dialog.ask({
      title: TEXTS.placeHold, about: TEXTS.holdsAbout, button: TEXTS.place,
      fields: html`
        <label>${TEXTS.name} <input name="name" required maxlength="64" pattern="[a-zA-Z0-9][a-zA-Z0-9._\\-]*" autocomplete="off"></label>
        <label>${TEXTS.log} <select name="log">${Object.entries(TEXTS.logNames).map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select></label>
        <label>${TEXTS.filter} <input name="q" maxlength="2000" spellcheck="false" autocomplete="off"></label>
        <label>${TEXTS.facts.reason} <textarea name="reason" required maxlength="1000" rows="2"></textarea></label>`,
      sent: async (data) => {
        const [log, q, reason] = ["log", "q", "reason"].map((name) => data.get(name).trim());
        await send("PUT", `retention/holds/${encodeURIComponent(data.get("name").trim())}`, { log, q, reason });
        await this.loaded.load();
      },
    });
  }

  #lift({ name }) {
    this.dialog.ask({
      title: TEXTS.lift, about: TEXTS.liftAbout(name), button: TEXTS.lift,
      sent: async () => {
        await send("DELETE", `retention/holds/${encodeURIComponent(name)}`);
        await this.loaded.load();
      },
    });
  }

  #try() {
    this.dialog.ask({
      title: TEXTS.dryRun, about: TEXTS.dryRunAbout, button: TEXTS.dryRun,
      sent: async () => {
        const { purged } = await send("POST", "retention/runs", { dry_run: true });
        await this.loaded.load();
        return html`<p role="status">${deleted(purged)}</p><footer><button type="button" @click=${() => this.dialog.close()}>${TEXTS.done}</button></footer>`;
      },
    });
  }
}

function deleted(purged) {
  const found = Object.entries(purged ?? {}).filter(([, number]) => number);
  return found.length ? found.map(([name, number]) => `${TEXTS.dataSets[name] ?? name} ${count(number)}`).join(", ") : TEXTS.none;
}

function table(name, columns, rows) {
  return html`<div class="scrolled" tabindex="0" role="region" aria-label=${name}><table class="listing" aria-label=${name}>
    <thead><tr>${columns.map((column) => html`<th scope="col">${column || html`<span class="visually-hidden">${TEXTS.actions}</span>`}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table></div>`;
}
