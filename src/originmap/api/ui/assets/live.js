// Keeps a page up to date: its parts with `data-live` and an id are replaced by those of the page as
// the server renders it now. The element #updated says when: `data-since` is the revision from which
// the change feed is followed, `data-every` the seconds between looks at what the feed does not have.

import { follow } from "./page.js";

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
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
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
