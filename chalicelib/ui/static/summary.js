/** The counts over time and by value that stand above the rows; where they fail, the rows stand without them. */

import { CallError, get } from "./api.js";
import { LOGS } from "./copying.js";
import { span } from "./moments.js";

const BUCKETS = 60;
/** The fields that are counted; the first one colours the bars. */
export const FACETS = Object.freeze({
  connections: ["type", "status", "workspace_owner", "workspace", "username", "ip", "organization"],
  audit: ["action", "resource_type", "username", "ip", "organization"],
});

export class Summary {
  constructor(update) {
    this.update = update;
    this.answer = null;
  }

  /** Counts what a state asks for; the counts before stay until the new ones are there. */
  async open(state) {
    this.leave();
    const reading = new AbortController();
    this.reading = reading;
    if (this.view !== state.view) this.answer = null;
    this.view = state.view;
    const { from, to } = span(state);
    try {
      const facets = FACETS[state.view].join(",");
      const answer = await get(`${LOGS[state.view].path}/summary`, { q: state.q, from, to, buckets: BUCKETS, facets }, { signal: reading.signal });
      if (reading.signal.aborted) return;
      this.answer = answer;
    } catch (error) {
      if (reading.signal.aborted) return;
      if (!(error instanceof CallError)) throw error;
      this.answer = null;
    }
    this.update();
  }

  leave() {
    this.reading?.abort();
  }
}
