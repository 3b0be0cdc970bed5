// What the scripts of several pages share: calls of the API behind the session, and live changes.
// In one file, because each file is a request before the page is ready.

const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** Call the API at a path such as /originmap/v1/topology; returns the result, or throws an Error with the API's words. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(`/ui/api${path}`, {
    method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    const problems = answer.errors.map((error) => error.message);
    throw Object.assign(new Error(problems.join("; ")), { status: response.status });
  }
  return answer.result;
}

/**
 * Call `changed` soon after each change that the API commits; `query` narrows the feed, such as zone=ID.
 * A page in the background does not follow, because browsers open six connections to a server at most.
 */
export function follow(changed, query = "") {
  let timer;
  let source;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined; // a steady stream of changes must not put it off
      changed();
    }, 100);
  };
  const open = () => {
    source = new EventSource(`/ui/api/originmap/v1/changes${query ? `?${query}` : ""}`);
    source.addEventListener("changes", soon);
    source.addEventListener("reset", soon);
  };
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (document.hidden) return;
    open();
    soon();
  });
  addEventListener("pagehide", () => source?.close());
  if (!document.hidden) open();
}

/** A time of the API for people, as the server writes it; "" for none. */
export function moment(text) {
  return text ? element("time", `${text.slice(0, 19).replace("T", " ")} UTC`, { datetime: text }) : "";
}

/** A new element with text, which is never parsed as HTML. */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// A page with #updated keeps itself up to date: its parts with `data-live` and an id are replaced by
// those of the page as the server renders it now. `data-since` is the revision from which the change
// feed is followed, `data-every` the seconds between looks at what the feed does not have.

const status = document.getElementById("updated");
const LEAST = 500; // milliseconds between two updates
let planned = 0;
let running = false;

if (status?.dataset.since !== undefined) {
  follow(plan, `since=${status.dataset.since}`);
}
if (status?.dataset.every !== undefined) {
  setInterval(() => document.hidden || plan(), 1000 * status.dataset.every);
}

function plan() {
  planned ||= setTimeout(update, LEAST / 2);
}

async function update() {
  planned = 0;
  if (running) return plan();
  running = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Live": "1" } });
    if (answer.redirected) location.reload(); // the session has ended
    if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    status.textContent = "No connection. Trying again.";
    if (!status.dataset.every) setTimeout(plan, 5000);
  } finally {
    running = false;
  }
}

/** Replaces what has changed; what is checked, written or focused stays so. */
function replace(fresh) {
  let changed = false;
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (next === null || next.innerHTML === (old.rendered ?? old.innerHTML)) continue;
    const html = next.innerHTML;
    keep(old, next);
    old.replaceChildren(...next.childNodes);
    old.rendered = html;
    old.dispatchEvent(new CustomEvent("live", { bubbles: true }));
    changed = true;
  }
  if (changed) status.textContent = `Updated at ${new Date().toLocaleTimeString()}.`;
}

function keep(old, next) {
  for (const input of next.querySelectorAll("input[type=checkbox]")) {
    const same = `input[name="${CSS.escape(input.name)}"][value="${CSS.escape(input.value)}"]`;
    input.checked = old.querySelector(same)?.checked ?? input.checked;
  }
  for (const field of next.querySelectorAll("input[id]:not([type=hidden]), select[id], textarea[id]")) {
    const before = old.querySelector(`#${CSS.escape(field.id)}`);
    if (before !== null && before.type !== "checkbox") field.value = before.value;
  }
  const focused = old.contains(document.activeElement) && document.activeElement;
  if (!focused) return;
  const selector = focused.id
    ? `#${CSS.escape(focused.id)}`
    : focused.name && `[name="${CSS.escape(focused.name)}"][value="${CSS.escape(focused.value)}"]`;
  const again = selector && next.querySelector(selector);
  if (again) queueMicrotask(() => again.focus({ preventScroll: true }));
}
