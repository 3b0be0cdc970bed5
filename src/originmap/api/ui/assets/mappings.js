// The mappings of a zone: search without lag, live changes, a selection across pages, dropped files.
// Without this script the server filters, and each page has its own selection.

import { ask, element, follow, moment } from "./page.js";

const PER_PAGE = 100;
const AT_ONCE = 40; // new rows before the next frame, more than a window shows; the others follow it
const DETECTED_AT_ONCE = 1000;
const form = document.querySelector("#mappings");
const filters = document.querySelector("#filters");
const rows = document.querySelector("#rows");
const zone = form.dataset.zone;
const base = `/ui/zones/${zone}`;
const all = document.querySelector("#all");
const selected = new Set();
let mappings = [];
let tiers = {};
let published = null; // a promise of what is published otherwise, by address, once it was asked for
let filtered = 0; // how often; an answer for an earlier filter comes too late
let page = 1;
let matching = [];
let drawn = new Map(); // rows of the table by what they say

async function load() {
  const [listed, regions] = await Promise.all([
    ask(`/originmap/v1/zones/${zone}/mappings`),
    ask(`/client/v4/zones/${zone}/origin/cloud_regions/supported_regions`),
  ]);
  mappings = listed.mappings.map((mapping) => ({
    ...mapping,
    text: `${mapping.origin_ip} ${mapping.vendor}/${mapping.region}`.toLowerCase(),
  }));
  tiers = {};
  for (const [vendor, found] of Object.entries(regions.vendors)) {
    for (const region of found) tiers[`${vendor}/${region.name}`] = region.upper_tier_colos[0] ?? "";
  }
  published = null;
}

async function detect() {
  const found = new Map();
  const asked = mappings;
  for (let start = 0; start < asked.length; start += DETECTED_AT_ONCE) {
    const addresses = asked.slice(start, start + DETECTED_AT_ONCE)
      .map(({ origin_ip, vendor, region }) => ({ ip: origin_ip, vendor, region }));
    const { detections } = await ask("/originmap/v1/detect", { method: "POST", body: { addresses } });
    for (const { ip, verdict, evidence } of detections) {
      if (verdict === "mismatch") found.set(ip, `${evidence.vendor} ${evidence.region ?? ""}`.trim());
    }
  }
  return found;
}

async function filter() {
  const turn = (filtered += 1);
  const wanted = Object.fromEntries(new FormData(filters));
  const parts = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
  const contradicted = wanted.contradicts ? await (published ??= detect()) : null;
  if (turn !== filtered) return;
  matching = mappings.filter((mapping) =>
    parts.every((part) => mapping.text.includes(part))
    && (!wanted.vendor || mapping.vendor === wanted.vendor)
    && (!wanted.region || `${mapping.vendor}/${mapping.region}` === wanted.region)
    && (!wanted.since || (mapping.modified_on ?? "") >= wanted.since)
    && (!contradicted || contradicted.has(mapping.origin_ip)));
  const used = Object.entries(wanted).filter(([, value]) => value);
  if (page > 1) used.push(["page", page]);
  history.replaceState(null, "", used.length ? `?${new URLSearchParams(used)}` : location.pathname);
  draw(contradicted);
}

function draw(contradicted) {
  const pages = Math.max(Math.ceil(matching.length / PER_PAGE), 1);
  page = Math.min(page, pages);
  const shown = matching.slice((page - 1) * PER_PAGE, page * PER_PAGE);
  drawRows(shown.map((mapping) => facts(mapping, contradicted)));
  heading(contradicted);
  const total = mappings.length;
  const words = (count) => `${count.toLocaleString("en")} mapping${count === 1 ? "" : "s"}`;
  document.querySelector("#count").textContent =
    matching.length === total ? words(total) : `${matching.length.toLocaleString("en")} of ${words(total)}`;
  drawPager(pages);
  drawSelection();
}

/** What a row says: address, vendor, region, upper tier, time, revision, and how it is published. */
function facts({ origin_ip: ip, vendor, region, modified_on: changed, revision }, contradicted) {
  const said = [ip, vendor, region, tiers[`${vendor}/${region}`] ?? "", changed ?? "", revision ?? ""];
  return contradicted ? [...said, contradicted.get(ip)] : said;
}

/** Draws only rows that say something new: the others stay, and what has the focus in them keeps it. */
function drawRows(shown, most = AT_ONCE) {
  const before = drawn;
  let left = most;
  drawn = new Map();
  for (const said of shown) {
    const key = said.join("\n");
    if (before.has(key) || (left -= 1) >= 0) drawn.set(key, before.get(key) ?? row(said));
  }
  const kept = new Set(drawn.values());
  for (const each of [...rows.children]) if (!kept.has(each)) each.remove();
  let next = rows.firstElementChild;
  for (const each of kept) {
    if (each === next) next = next.nextElementSibling;
    else rows.insertBefore(each, next);
  }
  for (const box of rows.querySelectorAll("input")) box.checked = selected.has(box.value);
  const now = drawn;
  if (left < 0) requestAnimationFrame(() => setTimeout(() => { if (drawn === now) drawRows(shown, shown.length); }));
}

function row([ip, vendor, region, tier, changed, revision, ...others]) {
  const made = document.createElement("tr");
  if (all) {
    made.append(cell(element("input", "", { type: "checkbox", "aria-label": `Select ${ip}`, value: ip })));
  }
  const name = element("th", "", { scope: "row" });
  name.append(element("a", ip, { href: `${base}/mappings/${ip}`, class: "code" }));
  const link = element("a", "History", {
    href: `${base}/history?ip=${encodeURIComponent(ip)}`, "aria-label": `History of ${ip}`,
  });
  made.append(
    name, element("td", vendor), element("td", region), element("td", tier),
    cell(moment(changed)), element("td", revision, { class: "number" }),
    ...others.map((text) => element("td", text, { class: "warn" })), cell(link),
  );
  return made;
}

function cell(child) {
  const made = document.createElement("td");
  made.append(child);
  return made;
}

function heading(contradicted) {
  const head = form.querySelector("thead tr");
  const there = [...head.children].find((each) => each.textContent === "Published as");
  if (contradicted && !there) head.lastElementChild.before(element("th", "Published as", { scope: "col" }));
  if (!contradicted) there?.remove();
}

function drawPager(pages) {
  const place = document.querySelector("#pager");
  place.replaceChildren();
  if (pages === 1) return;
  const nav = element("nav", "", { class: "pager", "aria-label": "Pages" });
  const step = (text, to) => {
    const button = element("button", text, { type: "button", class: "quiet" });
    button.disabled = to < 1 || to > pages;
    button.addEventListener("click", () => { page = to; filter(); });
    return button;
  };
  nav.append(
    step("Previous", page - 1),
    element("span", `Page ${page.toLocaleString("en")} of ${pages.toLocaleString("en")}`),
    step("Next", page + 1),
  );
  place.append(nav);
}

function drawSelection() {
  const place = document.querySelector("#selected");
  if (!all || !place) return;
  place.textContent = selected.size ? `(${selected.size.toLocaleString("en")})` : "";
  all.checked = matching.length > 0 && matching.every((mapping) => selected.has(mapping.origin_ip));
}

function choose(ips, on) {
  for (const ip of ips) (on ? selected.add(ip) : selected.delete(ip));
}

async function refresh() {
  await load();
  const there = new Set(mappings.map((mapping) => mapping.origin_ip));
  for (const ip of selected) if (!there.has(ip)) selected.delete(ip);
  form.querySelector(".scroll").hidden = mappings.length === 0;
  await filter();
}

let running = false;
let again = false;

/** Loads the mappings again after a change, once at a time: a busy zone changes all the time. */
async function update() {
  again = true;
  if (running) return;
  running = true;
  try {
    while (again) {
      again = false;
      await refresh();
      await new Promise((done) => setTimeout(done, 500));
    }
    document.querySelector("#live").textContent = "";
  } catch (error) {
    report(error);
  } finally {
    running = false;
  }
}

function report(error) {
  published = null;
  document.querySelector("#live").textContent = `The table is not live: ${error.message}`;
}

function acceptFiles(target) {
  const text = target.querySelector("textarea");
  const input = element("input", "", { type: "file", accept: ".csv,.txt,text/csv,text/plain", id: "file" });
  const read = async (file) => { if (file) text.value = await file.text(); };
  input.addEventListener("change", () => read(input.files[0]));
  text.after(element("label", "Or choose a CSV file", { for: "file" }), input);
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  });
}

filters.addEventListener("input", () => { page = 1; filter().catch(report); });
filters.addEventListener("submit", (event) => { event.preventDefault(); page = 1; filter().catch(report); });
rows.addEventListener("change", ({ target }) => { choose([target.value], target.checked); drawSelection(); });
all?.addEventListener("change", () => {
  choose(matching.map((mapping) => mapping.origin_ip), all.checked);
  filter();
});
form.addEventListener("formdata", ({ formData }) => {
  formData.delete("ip");
  for (const ip of selected) formData.append("ip", ip);
});
for (const target of document.querySelectorAll("[data-drop]")) acceptFiles(target);
for (const box of rows.querySelectorAll("input:checked")) selected.add(box.value);
page = Number(new URLSearchParams(location.search).get("page")) || 1;
if (all) all.hidden = false;
refresh().then(() => { form.dataset.ready = "true"; }).catch(report);
follow(update, `zone=${zone}`);
