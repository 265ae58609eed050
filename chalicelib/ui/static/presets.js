/** The questions that are asked most, ready to be asked again: for each log a name, a filter and a range. */

/** @returns the presets of a view, those apart that need a key which the log does not have; `ofToken` is about one. */
export const PRESETS = Object.freeze({
  connections: [
    { name: "openSessions", q: "status:ongoing" },
    { name: "activeSsh", q: "status:ongoing type:ssh" },
    { name: "endedToday", q: "status:completed", last: "24h" },
    { name: "myConnections", q: "username:me" },
    { name: "myWorkspaces", q: "workspace_owner:me" },
    { name: "portsForwarded", q: "type:port_forwarding", last: "7d" },
  ],
  audit: [
    { name: "failedLogins", q: "action:login status_code:401,403", needs: "status_code" },
    { name: "mintedToday", q: "resource_type:api_key action:create", last: "24h" },
    { name: "thisToken", q: "api_key_id:", needs: "api_key_id", ofToken: true },
    { name: "roleChanges", q: "resource_type:user,organization_member action:write" },
    { name: "deletionsThisWeek", q: "action:delete", last: "7d" },
    { name: "createdWorkspaces", q: "resource_type:workspace action:create" },
    { name: "addedTemplates", q: "resource_type:template action:create" },
    { name: "deletedUsers", q: "resource_type:user action:delete" },
    { name: "buildsByUsers", q: "resource_type:workspace_build action:start build_reason:initiator" },
    { name: "userLogins", q: "resource_type:api_key action:login" },
  ],
});
