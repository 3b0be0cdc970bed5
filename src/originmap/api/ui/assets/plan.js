// Applies a plan in batches, with progress. Without this script the form applies all of it at once.

const form = document.querySelector("#apply");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  const bar = form.querySelector("#progress");
  const text = form.querySelector("#progress-text");
  const failures = form.querySelector("#failures");
  const changes = new FormData(form).getAll("change");
  const csrf = new FormData(form).get("csrf");
  const size = Number(form.dataset.batch);
  let done = 0;
  let failed = 0;
  button.disabled = true;
  bar.hidden = false;
  for (let start = 0; start < changes.length; start += size) {
    const body = new URLSearchParams({ csrf });
    for (const change of changes.slice(start, start + size)) body.append("change", change);
    if (start + size >= changes.length && !failed) body.append("before", done);
    const problems = await send(form.action, body);
    if (problems.stop) {
      text.textContent = `Stopped: ${done.toLocaleString("en")} changes are written, the rest is not. Make the plan again.`;
      show(failures, problems.failed);
      return;
    }
    done += problems.done;
    failed += problems.failed.length;
    show(failures, problems.failed);
    bar.value = done + failed;
    text.textContent = `${(done + failed).toLocaleString("en")} of ${changes.length.toLocaleString("en")}`;
  }
  text.textContent = `${done.toLocaleString("en")} of ${changes.length.toLocaleString("en")} changes are written.`;
  if (!failed) location.assign(form.dataset.done);
});

async function send(url, body) {
  try {
    const response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    return { ...answer, stop: !response.ok };
  } catch {
    return { stop: true, done: 0, failed: ["The server did not answer, or the session has ended."] };
  }
}

function show(list, problems) {
  for (const problem of problems) {
    const item = document.createElement("li");
    item.textContent = problem;
    list.append(item);
  }
}
