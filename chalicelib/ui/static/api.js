/** Calls of the API, from wherever the service is on its host; every failure becomes one of a few kinds. */

const BASE = new URL("../../api/v2/", import.meta.url);
const SESSION = new URL("../session", import.meta.url);
const ANSWER_WITHIN_MS = 30_000;
const MOST_PAGES = 40;

/** What became of a call that failed: decides what the reader is told and can do. */
export const Failure = Object.freeze({
  SIGNED_OUT: "signed-out",
  FORBIDDEN: "forbidden",
  MISSING: "missing",
  INVALID: "invalid",
  AWAY: "away",
});

const KINDS = { 400: Failure.INVALID, 401: Failure.SIGNED_OUT, 403: Failure.FORBIDDEN, 404: Failure.MISSING, 409: Failure.INVALID };

/** A call that failed: its kind, and the service's own words. */
export class CallError extends Error {
  constructor(status, body = {}) {
    super(body.message ?? "");
    this.status = status;
    this.kind = KINDS[status] ?? Failure.AWAY;
    this.detail = body.detail ?? "";
    this.validations = body.validations ?? [];
  }
}

/** The address of an API path with its parameters; those without a value are left out. */
export function address(path, parameters = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

/** The answer to a reading call. */
export const get = (path, parameters, { signal } = {}) => called(address(path, parameters), { signal });

/** A page of rows as a file: its text, how many rows it has, and the reference of the page that follows it. */
export const getFile = (url, { signal }) => answered(url, { signal });

/** The items of a list on all its pages: an answer names the next one in its header `Link`. */
export async function getAll(path, parameters) {
  const items = [];
  let url = address(path, parameters);
  for (let page = 0; url && page < MOST_PAGES; page += 1) {
    const { answer, next } = await answered(url, {});
    items.push(...answer);
    url = next && new URL(next, url);
  }
  return items;
}

/**
 * The answer to a call that changes something.
 * @param token counts in the place of the cookie, for what the session may not do.
 */
export function send(method, path, body, { token } = {}) {
  const own = token ? { credentials: "omit", headers: { "Coder-Session-Token": token } } : {};
  return called(address(path), { method, ...own }, body);
}

/** Changes a pasted token for the cookie of a session. */
export const signIn = (token) =>
  called(SESSION, { method: "POST", headers: { "Coder-Session-Token": token } }, {});

/** Who is signed in, and until when. */
export const session = () => called(SESSION, {});

/** Ends the session and takes its cookie back. */
export const signOut = () => called(SESSION, { method: "DELETE" });

const called = async (url, options, body) => (await answered(url, options, body)).answer;

/** The answer, and the reference of the page that follows it. */
async function answered(url, options, body) {
  const headers = { Accept: "application/json", ...options.headers };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  let response;
  let text;
  try {
    response = await fetch(url, {
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      ...options,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new CallError(0, {});
  }
  const answer = parsed(text);
  if (!response.ok) throw new CallError(response.status, answer ?? {});
  return { answer, text, rows: Number(response.headers.get("Gatebook-Rows")), next: /<([^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1] };
}

function parsed(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
