// What the scripts of several pages share: calls of the API behind the session, and live changes.

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

/** Call `changed` soon after each change that the API commits; `query` narrows the feed, such as zone=ID. */
export function follow(changed, query = "") {
  let timer;
  const source = new EventSource(`/ui/api/originmap/v1/changes${query ? `?${query}` : ""}`);
  for (const name of ["changes", "reset"]) {
    source.addEventListener(name, (event) => {
      timer ??= setTimeout(() => {
        timer = undefined; // a steady stream of changes must not put it off
        changed(JSON.parse(event.data));
      }, 100);
    });
  }
  addEventListener("pagehide", () => source.close());
  return source;
}

/** A time of the API for people, as the server writes it. */
export function moment(text) {
  return text ? `${text.slice(0, 19).replace("T", " ")} UTC` : "";
}

/** A new element with text, which is never parsed as HTML. */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
