/** Rows as sentences: what happened, as Coder's own pages word it, with the texts of others kept apart from our words. */

import { html, nothing } from "./lit-html.js";
import { inline } from "./text.js";
import { TEXTS } from "./texts.js";

const REDIRECTED = 303;
const FAILED = 400;
const BROKEN = 500;
const BUILDS = "workspace_build";
const LOGINS = ["login", "logout", "register"];
/** Reasons of builds that nobody has asked for. */
const AUTOMATIC = ["autostart", "autostop", "dormancy", "failedstop", "autodelete", "task_auto_pause"];
const SESSION_NAMES = { __proto__: null, ssh: "SSH", vscode: "VS Code", jetbrains: "JetBrains", reconnecting_pty: "Web Terminal" };

/** What a web event did, by what became of it. */
function outcome(status) {
  if (status >= FAILED) return "refused";
  return status === REDIRECTED ? "redirected" : "done";
}

const named = (value) => html`<strong>${inline(value)}</strong>`;

/** Whose workspace it was: `ada’s analysis workspace`. */
function workspace(row) {
  const { possessive, workspace: noun } = TEXTS.connection;
  return html`${named(row.workspace_owner_username || row.workspace_owner_id)}${possessive} ${named(row.workspace_name)} ${noun}`;
}

/** The sentence of a connection. */
export function connectionSentence(row) {
  const words = TEXTS.connection;
  if (!row.web_info) return html`${words.session(SESSION_NAMES[row.type] ?? row.type)} ${words.place.session} ${workspace(row)}`;
  const { user, slug_or_port: slug, status_code: status } = row.web_info;
  const who = user ? named(user.username || user.id) : html`<em>${TEXTS.unauthenticated}</em>`;
  const [verb, thing] = [words[row.type]?.[outcome(status)] ?? words.other[outcome(status)], words[row.type]?.thing ?? ""];
  const tunnel = row.type === "tunnel";
  return html`${who} ${verb} ${thing} ${tunnel ? nothing : html`${slug ? named(slug) : nothing} ${words.place.done} `}${workspace(row)}`;
}

/** The sentence of an audit event: the service's description, with the names put in. */
export function auditSentence(row, link) {
  const fields = row.additional_fields ?? {};
  const build = row.resource_type === BUILDS;
  const target = build ? fields.workspace_name : row.resource_target;
  const parts = {
    __proto__: null, // looked up by every part of a description
    "{user}": () => actor(row, fields, build),
    "{target}": () => linked(link, named(target || row.resource_id)),
  };
  const words = row.description.split(/(\{user\}|\{target\})/).filter(Boolean);
  const untold = row.resource_type === "api_key" && LOGINS.includes(row.action);
  return html`${words.map((word) => (parts[word] ? parts[word]() : word))}${row.is_deleted && !untold
    ? html` <em>(${TEXTS.deleted})</em>` : nothing}${behalf(row, fields, build)}`;
}

function actor(row, fields, build) {
  if (build && AUTOMATIC.includes(fields.build_reason)) return html`<em>${TEXTS.automatically}</em>`;
  if (fields.automatic_actor) return html`<em>${TEXTS.automatically}</em>`;
  return row.user ? named(row.user.username || row.user.id) : html`<em>${TEXTS.unauthenticated}</em>`;
}

function behalf(row, fields, build) {
  const owner = fields.workspace_owner;
  if (!build || !owner || !row.user || owner === "unknown" || owner === row.user.username) return nothing;
  return html` ${TEXTS.onBehalf} ${named(owner)}`;
}

function linked(link, content) {
  return link ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${content}</a>` : content;
}

/** The badges of a connection: each a text, what it means, and how much it matters. */
export function connectionBadges(row) {
  const kind = { text: row.type.replaceAll("_", " "), tone: "kind" };
  if (row.web_info) return [kind, { text: String(row.web_info.status_code), tone: tone(row.web_info.status_code), about: TEXTS.httpStatus }];
  const { disconnect_time: end, exit_code: code } = row.ssh_info ?? {};
  if (!end) return [kind, { text: TEXTS.open, tone: "open" }];
  return [kind, code === undefined ? { text: TEXTS.ended, tone: "fine" } : { text: TEXTS.exit(code), tone: code ? "warning" : "fine", about: TEXTS.exitCode }];
}

/** The badges of an audit event. */
export function auditBadges(row) {
  const reason = row.additional_fields?.build_reason;
  const badges = [
    { text: row.resource_type.replaceAll("_", " "), tone: "kind" },
    { text: String(row.status_code), tone: tone(row.status_code), about: TEXTS.httpStatus },
  ];
  if (row.resource_type === BUILDS && reason) badges.push({ text: TEXTS.reasons[reason] ?? reason, tone: "kind" });
  return badges;
}

function tone(status) {
  if (status >= BROKEN) return "danger";
  return status >= FAILED ? "warning" : "fine";
}
