// Shows requests as they arrive: waits for the journal, then takes the new rows from the page itself.

import { ask } from "./page.js";

const WAIT_SECONDS = 20;
const MOST = 200;
const rows = document.querySelector("#requests");
const live = document.querySelector("#live");

async function watch() {
  let last = Number(rows.dataset.last);
  for (;;) {
    const news = await ask(`/originmap/dev/v1/requests?after=${last}&wait=${WAIT_SECONDS}`);
    if (!news.requests.length) continue;
    const response = await fetch(location.pathname);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const added = [...page.querySelectorAll("#requests tr[data-number]")]
      .filter((row) => Number(row.dataset.number) > last);
    document.querySelector("#none")?.remove();
    rows.prepend(...added);
    while (rows.children.length > MOST) rows.lastElementChild.remove();
    last = Math.max(last, ...added.map((row) => Number(row.dataset.number)), news.last);
    live.textContent = `${added.length} new`;
  }
}

watch().catch((error) => { live.textContent = `The list is not live: ${error.message}`; });
