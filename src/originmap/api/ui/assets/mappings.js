// The mappings of a zone: search without lag, live changes, a selection across pages, dropped files.
// Without this script the server filters, and each page has its own selection.

import { ask, element, follow, moment } from "./page.js";

const PER_PAGE = 100;
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
let published = null; // by address, once it was asked for
let page = 1;
let matching = [];

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
  published = new Map();
  for (let start = 0; start < mappings.length; start += DETECTED_AT_ONCE) {
    const addresses = mappings.slice(start, start + DETECTED_AT_ONCE)
      .map(({ origin_ip, vendor, region }) => ({ ip: origin_ip, vendor, region }));
    const { detections } = await ask("/originmap/v1/detect", { method: "POST", body: { addresses } });
    for (const { ip, verdict, evidence } of detections) {
      if (verdict === "mismatch") published.set(ip, `${evidence.vendor} ${evidence.region ?? ""}`.trim());
    }
  }
}

async function filter() {
  const wanted = Object.fromEntries(new FormData(filters));
  const parts = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.contradicts && published === null) await detect();
  matching = mappings.filter((mapping) =>
    parts.every((part) => mapping.text.includes(part))
    && (!wanted.vendor || mapping.vendor === wanted.vendor)
    && (!wanted.region || `${mapping.vendor}/${mapping.region}` === wanted.region)
    && (!wanted.since || (mapping.modified_on ?? "") >= wanted.since)
    && (!wanted.contradicts || published.has(mapping.origin_ip)));
  const used = Object.entries(wanted).filter(([, value]) => value);
  if (page > 1) used.push(["page", page]);
  history.replaceState(null, "", used.length ? `?${new URLSearchParams(used)}` : location.pathname);
  draw(Boolean(wanted.contradicts));
}

function draw(contradictions) {
  const pages = Math.max(Math.ceil(matching.length / PER_PAGE), 1);
  page = Math.min(page, pages);
  const shown = matching.slice((page - 1) * PER_PAGE, page * PER_PAGE);
  rows.replaceChildren(...shown.map((mapping) => row(mapping, contradictions)));
  heading(contradictions);
  const total = mappings.length;
  const words = (count) => `${count.toLocaleString("en")} mapping${count === 1 ? "" : "s"}`;
  document.querySelector("#count").textContent =
    matching.length === total ? words(total) : `${matching.length.toLocaleString("en")} of ${words(total)}`;
  drawPager(pages);
  drawSelection();
}

function row(mapping, contradictions) {
  const made = document.createElement("tr");
  const { origin_ip: ip, vendor, region } = mapping;
  if (all) {
    const box = element("input", "", { type: "checkbox", "aria-label": `Select ${ip}`, value: ip });
    box.checked = selected.has(ip);
    made.append(cell(box));
  }
  const name = element("th", "", { scope: "row" });
  name.append(element("a", ip, { href: `${base}/mappings/${ip}`, class: "code" }));
  const link = element("a", "History", {
    href: `${base}/history?ip=${encodeURIComponent(ip)}`, "aria-label": `History of ${ip}`,
  });
  made.append(
    name, element("td", vendor), element("td", region), element("td", tiers[`${vendor}/${region}`] ?? ""),
    element("td", moment(mapping.modified_on)), element("td", mapping.revision ?? "", { class: "number" }),
  );
  if (contradictions) made.append(element("td", published.get(ip), { class: "warn" }));
  made.append(cell(link));
  return made;
}

function cell(child) {
  const made = document.createElement("td");
  made.append(child);
  return made;
}

function heading(contradictions) {
  const head = form.querySelector("thead tr");
  const there = [...head.children].find((each) => each.textContent === "Published as");
  if (contradictions && !there) head.lastElementChild.before(element("th", "Published as", { scope: "col" }));
  if (!contradictions) there?.remove();
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
