// Draws #drawing, the facts of the page, on #map with Leaflet. The server decides what is shown and in
// which words; this file decides how it looks.

import { shortestWay } from "./geometry.js";
import { element } from "./page.js";

const L = window.L;
const box = document.getElementById("map");
const facts = document.getElementById("map-facts");
const data = document.getElementById("drawing");
const WORLD = L.latLngBounds([-58, -186], [80, 186]);
const CLOSEST = 6; // the largest zoom: the outline of the land has no detail beyond it
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const map = L.map(box, {
  attributionControl: false,
  fadeAnimation: !still,
  inertia: !still,
  markerZoomAnimation: !still,
  maxBounds: WORLD.pad(0.1),
  maxZoom: CLOSEST,
  scrollWheelZoom: false,
  trackResize: false, // the observer below does
  zoomAnimation: !still,
  zoomSnap: 0.05,
});
const lines = L.layerGroup().addTo(map);
const marks = L.layerGroup().addTo(map);

// The wheel scrolls the page until someone uses the map.
map.on("focus", () => map.scrollWheelZoom.enable());
map.on("blur", () => map.scrollWheelZoom.disable());
map.fitBounds(WORLD);
map.setMinZoom(map.getZoom());
new ResizeObserver(() => {
  const whole = map.getZoom() <= map.getMinZoom();
  const before = map.getSize();
  if (map.invalidateSize().getSize().equals(before)) return; // it observes the first size too
  map.setMinZoom(0); // below the smallest zoom of before, Leaflet finds none for a smaller map
  map.setMinZoom(Math.min(map.getBoundsZoom(WORLD), CLOSEST));
  // Leaflet draws what was in view before: a larger map needs to be drawn again.
  if (whole) map.fitBounds(WORLD, { animate: false });
}).observe(box);

draw(true);
data.addEventListener("live", () => draw(false));
box.dataset.ready = "";
fetch(box.dataset.world)
  .then((answer) => answer.json())
  .then((land) => L.geoJSON(land, { interactive: false, style: { className: "land" } }).addTo(map).bringToBack());

function draw(first) {
  const drawing = JSON.parse(data.textContent);
  const focused = marks.getLayers().find((mark) => mark.getElement() === document.activeElement);
  lines.clearLayers();
  marks.clearLayers();
  for (const line of drawing.lines) {
    const way = shortestWay(line.from, line.to);
    L.polyline(way, { className: `line ${line.kind}`, interactive: false, smoothFactor: 0.5 }).addTo(lines);
  }
  const most = Math.max(1, ...drawing.cities.map((city) => city.origins));
  for (const city of drawing.cities) {
    const size = Math.round(16 + 28 * Math.sqrt(city.origins / most));
    add(city, "city", size, -1000 - size);
  }
  for (const colo of drawing.colos) {
    const kind = `colo ${colo.state} ${colo.used ? "used" : ""} ${colo.changes ? "changes" : ""}`;
    add(colo, kind, colo.used || colo.changes || colo.state !== "active" ? 13 : 9, colo.used ? 10 : 0);
  }
  marks.getLayers().find((mark) => mark.label === focused?.label)?.getElement().focus();
  if (first && drawing.preview) fit(drawing);
}

function add(place, kind, size, zIndexOffset) {
  const icon = L.divIcon({ className: `mark ${kind}`, iconSize: [size, size] });
  const mark = L.marker(place.at, { icon, zIndexOffset, riseOnHover: kind !== "city" }).addTo(marks);
  mark.label = place.label;
  mark.getElement().setAttribute("aria-label", [place.label, ...place.facts].join(". "));
  mark.bindTooltip(() => words(place), { offset: [size / 2, 0], className: "facts-tip" });
  mark.on("click", () => show(place, mark));
  mark.on("keypress", ({ originalEvent: event }) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    show(place, mark);
  });
}

/** Shows the facts of a mark below the map; a tooltip has no room for buttons. */
function show(place, mark) {
  mark.closeTooltip();
  facts.replaceChildren(words(place, place.actions));
  facts.hidden = false;
  facts.focus();
  facts.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    facts.hidden = true;
    mark.getElement()?.focus();
  };
}

function words(place, actions = []) {
  const box = element("div");
  box.append(element("strong", place.label), ...place.facts.map((fact) => element("p", fact)));
  for (const { text, url } of actions) box.append(element("a", text, { href: url, class: "button" }));
  return box;
}

/** Shows what moves as large as possible. */
function fit(drawing) {
  const ends = drawing.lines.flatMap((line) => shortestWay(line.from, line.to).flat());
  if (ends.length > 0) map.fitBounds(ends, { padding: [30, 30], maxZoom: 5, animate: false });
}
