/** From one row to others: the same value, everything but it, what else carries its ids, what happened around it. */

import { entered } from "./address.js";
import { known } from "./filtering.js";
import { around } from "./moments.js";
import { only, without, written } from "./query.js";

/** The id that stands where a row has none, such as that of a user where no user did it. */
export const NIL = "00000000-0000-0000-0000-000000000000";
const NONE = ["", NIL, "unknown", undefined, null];

/** The facts of a row that can be asked for: the name of the fact, its value, and the keys that may ask for it. */
export function facts(view, row) {
  return (view === "audit" ? auditFacts(row) : connectionFacts(row))
    .filter(({ value }) => !NONE.includes(value))
    .map((fact) => ({ ...fact, key: known(view, ...fact.keys) }));
}

function connectionFacts(row) {
  const web = row.web_info;
  return [
    { name: "user", value: web?.user?.username, keys: ["username"] },
    { name: "owner", value: row.workspace_owner_username, keys: ["workspace_owner"] },
    { name: "workspace", value: row.workspace_name, keys: ["workspace"] },
    { name: "workspaceId", value: row.workspace_id, keys: ["workspace_id"] },
    { name: "agent", value: row.agent_name, keys: ["agent"] },
    { name: "organization", value: row.organization?.name, keys: ["organization"] },
    { name: "type", value: row.type, keys: ["type"] },
    { name: "address", value: row.ip, keys: ["ip"] },
    { name: "method", value: row.connection_method, keys: ["method"] },
    { name: "app", value: row.app_name, keys: ["app"] },
    { name: "slug", value: web?.slug_or_port, keys: ["slug_or_port"] },
    { name: "connectionId", value: row.ssh_info?.connection_id, keys: ["connection_id"] },
  ];
}

function auditFacts(row) {
  const fields = row.additional_fields ?? {};
  return [
    { name: "user", value: row.user?.username, keys: ["username"] },
    { name: "action", value: row.action, keys: ["action"] },
    { name: "resourceType", value: row.resource_type, keys: ["resource_type"] },
    { name: "target", value: row.resource_target, keys: ["resource_target"] },
    { name: "resourceId", value: row.resource_id, keys: ["resource_id"] },
    { name: "workspace", value: fields.workspace_name, keys: ["resource_target"] },
    { name: "buildReason", value: fields.build_reason, keys: ["build_reason"] },
    { name: "organization", value: row.organization?.name, keys: ["organization"] },
    { name: "address", value: row.ip, keys: ["ip"] },
    { name: "status", value: row.status_code, keys: ["status_code"] },
    { name: "requestId", value: row.request_id, keys: ["request_id"] },
    { name: "token", value: fields.api_key_id, keys: ["api_key_id"] },
  ];
}

/** The state that asks for this value beside what is asked already. */
export const filtered = (state, key, value) => ({ ...state, q: only(state.q, key, String(value)), row: "" });

/** The state that leaves this value out. */
export const leftOut = (state, key, value) => ({ ...state, q: without(state.q, key, String(value)), row: "" });

/** The states that show what shares an id with the row: the name of the fact and where it leads. */
export function related(state, row) {
  const own = facts(state.view, row).filter(({ name, key }) => key && ["connectionId", "requestId", "token"].includes(name));
  const links = own.map(({ name, key, value }) => ({ name, state: { ...entered(state, state.view), q: written(key, value) } }));
  const { connection_id: connection } = row.additional_fields ?? {};
  if (!NONE.includes(connection) && known("connections", "connection_id")) {
    links.push({ name: "connectionId", state: { ...entered(state, "connections"), q: written("connection_id", connection) } });
  }
  return links;
}

/** The states of a quarter of an hour to both sides of the row, by user, address and workspace, in both logs. */
export function surroundings(state, row) {
  const time = row.time ?? row.connect_time;
  const fields = row.additional_fields ?? {};
  const by = [
    { name: "user", value: row.user?.username ?? row.web_info?.user?.username ?? row.workspace_owner_username, keys: { connections: ["username"], audit: ["username"] } },
    { name: "address", value: row.ip, keys: { connections: ["ip"], audit: ["ip"] } },
    {
      name: "workspace",
      value: row.workspace_name ?? fields.workspace_name ?? (row.resource_type === "workspace" ? row.resource_target : undefined),
      keys: { connections: ["workspace"], audit: ["resource_target"] },
    },
  ];
  const links = [{ name: "everything", view: "connections", state: near(state, "connections", "", time) }, { name: "everything", view: "audit", state: near(state, "audit", "", time) }];
  for (const { name, value, keys } of by) {
    if (NONE.includes(value)) continue;
    for (const [view, names] of Object.entries(keys)) {
      const key = known(view, ...names);
      if (key) links.push({ name, value, view, state: near(state, view, written(key, value), time) });
    }
  }
  return links;
}

const near = (state, view, q, time) => ({ ...entered(state, view), q, ...around(time) });
