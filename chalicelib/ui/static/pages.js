/** The pages of a log, one cursor after another: what is asked, what came, and whether newer rows are there. */

import { CallError, Failure, get } from "./api.js";
import { LOGS } from "./copying.js";
import { rangeKeys } from "./filtering.js";
import { bounds } from "./moments.js";
import { bounded, written } from "./query.js";

const POLL_ROWS = 25;

/** What the reader sees of a page: one of these at a time. */
export const Phase = Object.freeze({ IDLE: "idle", LOADING: "loading", READY: "ready", FAILED: "failed" });

export class Pages {
  /** @param update draws the page anew. @param signedOut called where the session has ended. */
  constructor(update, signedOut) {
    this.update = update;
    this.signedOut = signedOut;
    this.phase = Phase.IDLE;
    this.rows = [];
    this.before = 0;
    this.starts = [];
    this.newer = 0;
  }

  /** Where the page stands: the number of its first row, of its last, and of all that there are. */
  get position() {
    const { before, rows } = this;
    return { first: rows.length ? before + 1 : 0, last: before + rows.length, count: this.count, capped: this.capped, partial: this.countPartial };
  }

  get hasNext() {
    return this.phase === Phase.READY && Boolean(this.next);
  }

  get hasPrevious() {
    return this.phase === Phase.READY && this.starts.length > 1;
  }

  /** Reads the first page of what a state asks for. */
  open(state) {
    // What stood there stays until what is asked for has come; rows of another log would be nonsense.
    if (this.state?.view !== state.view) this.rows = [];
    this.state = state;
    this.range = bounds(state);
    this.starts = [{ cursor: "", number: 0 }];
    this.count = undefined;
    this.newer = 0;
    return this.#read();
  }

  /** Reads what is there now, from the beginning. */
  refresh = () => this.open(this.state);

  /** Reads the page that failed again. */
  again = () => this.#read();

  nextPage() {
    this.starts = [...this.starts, { cursor: this.next, number: this.position.last }];
    return this.#read();
  }

  previousPage() {
    this.starts = this.starts.slice(0, -1);
    return this.#read();
  }

  /**
   * Looks for rows that are newer than the first page.
   * @param take whether to put them on top, for who watches the log live, rather than to announce them.
   */
  async look(take) {
    if (this.phase !== Phase.READY || this.range.to || this.starts.length > 1) return;
    const { rows } = await this.#asked({ limit: POLL_ROWS, count: "false" });
    const seen = new Set(this.rows.map(({ id }) => id));
    const fresh = rows.filter(({ id }) => !seen.has(id));
    if (take) {
      const now = new Map(rows.map((row) => [row.id, row]));
      this.rows = [...fresh, ...this.rows.map((row) => now.get(row.id) ?? row)];
      if (this.count !== undefined && !this.capped) this.count += fresh.length;
      this.newer = 0;
    } else {
      this.newer = fresh.length;
    }
    this.update();
  }

  /** Reads what contradicts a session, for those whom the service shows who wrote it, and puts it into its row. */
  async contradict(id) {
    const row = this.rows.find((each) => each.id === id);
    if (!row?.ssh_info || !row.written_by || row.conflicts) return;
    const { path, rows } = LOGS.connections;
    const q = written("connection_id", row.ssh_info.connection_id);
    const answer = await get(path, { q, conflicts: "true", count: "false", limit: POLL_ROWS });
    const found = answer[rows].find((each) => each.id === id);
    if (found?.conflicts) this.rows = this.rows.map((each) => (each.id === id ? { ...each, conflicts: found.conflicts } : each));
  }

  /** Whether the poll may have missed some: it reads only so many rows. */
  get newerCapped() {
    return this.newer >= POLL_ROWS;
  }

  /** The text of `q` that is sent: the filter and the bounds of the range. */
  get q() {
    return bounded(this.state.q, rangeKeys(this.state.view), this.range);
  }

  /** Stops what is being read. */
  leave() {
    this.reading?.abort();
    this.phase = Phase.IDLE;
  }

  async #read() {
    this.reading?.abort();
    const reading = new AbortController();
    this.reading = reading;
    this.phase = Phase.LOADING;
    this.error = undefined;
    this.update();
    const { cursor, number } = this.starts.at(-1);
    try {
      // The count is of the whole answer: the first page has told it.
      const first = cursor === "";
      const page = await this.#asked({ limit: this.state.size, cursor, count: first ? "" : "false" }, reading.signal);
      if (reading.signal.aborted) return;
      this.rows = page.rows;
      this.before = number;
      this.next = page.next_cursor ?? "";
      this.partial = Boolean(page.partial);
      this.searchedTo = page.scanned_to;
      if (first) {
        this.capped = page.count > page.count_cap;
        this.count = this.capped ? page.count_cap : page.count;
        this.countPartial = Boolean(page.count_partial);
      }
      this.phase = Phase.READY;
    } catch (error) {
      if (reading.signal.aborted) return;
      if (!(error instanceof CallError)) throw error;
      this.phase = Phase.FAILED;
      this.error = error;
      if (error.kind === Failure.SIGNED_OUT) this.signedOut(error);
      if (error.kind !== Failure.INVALID && error.kind !== Failure.AWAY) this.rows = [];
    }
    this.update();
  }

  async #asked(parameters, signal) {
    const { path, rows } = LOGS[this.state.view];
    const answer = await get(path, { q: this.q, ...parameters }, { signal });
    return { ...answer, rows: answer[rows] };
  }
}
