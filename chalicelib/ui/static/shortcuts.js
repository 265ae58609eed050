/** The keyboard: single keys that do what buttons do, and can be switched off; nothing needs them. */

/** Key -> what it does; the names are those of the texts. */
export const SHORTCUTS = Object.freeze({ "/": "search", j: "next", k: "previous", n: "page" });

const ACTIONS = {
  search: () => document.getElementById("filter")?.focus(),
  next: () => moved(1),
  previous: () => moved(-1),
  page: () => document.querySelector(".paging button:last-of-type")?.click(),
};

/** Listens for the keys; those that are typed into a field, or with another key held, mean themselves. */
export function listen(enabled) {
  document.addEventListener("keydown", (event) => {
    if (!enabled() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const action = ACTIONS[SHORTCUTS[event.key]];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function moved(step) {
  const rows = [...document.querySelectorAll(".toggle")];
  const at = rows.indexOf(document.activeElement);
  const to = rows[at < 0 && step < 0 ? rows.length - 1 : at + step];
  to?.focus();
  to?.scrollIntoView({ block: "nearest" });
}
