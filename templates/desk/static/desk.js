// Everything on the desk works without this script; it saves reloading and forgetting.

const main = document.getElementById("main");

// What has just been done is said once: reloading the page, or coming back to it, says nothing.
if (document.querySelector("[data-said]")) {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  history.replaceState(null, "", address);
}

// A send that is under way: look again every few seconds, and show the page anew once it stands differently.
async function lookAgain(live) {
  let wait = Number(live.dataset.again) * 1000;
  while (wait) {
    await new Promise((done) => setTimeout(done, wait));
    if (document.hidden) continue;
    const found = await freshly();
    if (!found) continue;
    if (found.dataset.state !== live.dataset.state) {
      location.reload();
      return;
    }
    live.replaceChildren(...found.childNodes);
    wait = Number(found.dataset.again || 0) * 1000;
  }
}

async function freshly() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload();
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("[data-live]");
    if (!found) location.reload(); // what was under way has ended, and stands elsewhere on the page
    return found;
  } catch {
    return null;
  }
}

// Told by the server how a send goes on, while anybody looks at the page. The browser asks again by itself when the
// connection ends, or the server has been started anew; if it may not, the page looks again by itself.
function listen(live) {
  const standing = live.querySelector("[data-standing]");
  const spoken = live.querySelector("[data-spoken]");
  let events = null;
  let quarter = null;

  function open() {
    events = new EventSource(live.dataset.events);
    events.addEventListener("standing", (event) => {
      if (event.lastEventId !== live.dataset.state) {
        events.close();
        location.reload();
        return;
      }
      standing.innerHTML = event.data;
      speak(standing.querySelector("progress"));
    });
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      document.removeEventListener("visibilitychange", turn);
      lookAgain(live);
    });
  }

  // Who listens to the page hears of every quarter, and not of every mail.
  function speak(bar) {
    if (!bar) return;
    const now = Math.floor((bar.value / bar.max) * 4);
    if (quarter !== null && now > quarter) spoken.textContent = `${now * 25} percent done`;
    quarter = now;
  }

  function turn() {
    if (document.hidden) events.close();
    else if (events.readyState === EventSource.CLOSED) open();
  }

  open();
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

for (const live of document.querySelectorAll("[data-live]")) {
  if (live.dataset.events) listen(live);
  else if (live.dataset.again) lookAgain(live);
}

// Changes that are not saved: neither approve without them, nor leave them behind.
const form = document.querySelector("form[data-keep]");

if (form) {
  // What the server would not take stands in the form, and nowhere else.
  const first = "unsavedAlready" in form.dataset ? null : written();
  let isSending = false;

  function written() {
    return new URLSearchParams(new FormData(form)).toString();
  }

  form.addEventListener("submit", () => {
    isSending = true;
  });
  addEventListener("pageshow", () => {
    isSending = false;
  });
  addEventListener("beforeunload", (event) => {
    if (!isSending && written() !== first) event.preventDefault();
  });
  main.addEventListener("submit", (event) => {
    if (!event.target.hasAttribute("data-needs-saved") || written() === first) return;
    event.preventDefault();
    const note = document.querySelector("[data-unsaved]");
    note.hidden = false;
    note.scrollIntoView({ block: "nearest" });
  });
}

// A segment: how many readers the form as it stands would hold, a moment after it was last changed.
const counting = document.querySelector("form[data-count]");

if (counting) {
  const told = counting.querySelector("[data-counted]");
  let waiting = 0;

  async function tell() {
    const body = new URLSearchParams(new FormData(counting));
    const answer = await fetch(counting.dataset.count, { method: "POST", body }).catch(() => null);
    if (answer && (answer.ok || answer.status === 422)) told.textContent = await answer.text();
  }

  counting.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(tell, 500);
  });
}

// How long a subject or preheader is, beside what the inbox of a phone shows of it.
for (const field of document.querySelectorAll("[data-guide]")) {
  const guide = Number(field.dataset.guide);
  const line = document.createElement("p");
  line.className = "hint";
  field.after(line);

  function measure() {
    const length = [...field.value].length;
    line.textContent = length ? `${length} characters; the inbox of a phone shows about ${guide}.` : "";
    line.classList.toggle("long", length > guide);
  }

  field.addEventListener("input", measure);
  measure();
}

// The articles of a draft: moved by two buttons or dragged; the numbers follow, and are what is saved.
for (const table of document.querySelectorAll("[data-sortable]")) {
  const body = table.tBodies[0];
  const told = document.createElement("p");
  told.className = "unseen";
  told.setAttribute("aria-live", "polite");
  table.after(told);
  let dragged = null;

  function renumber(row) {
    [...body.rows].forEach((each, place) => (each.querySelector(".place input").value = place + 1));
    const place = [...body.rows].indexOf(row) + 1;
    told.textContent = `${row.querySelector("label").textContent}: place ${place} of ${body.rows.length}.`;
  }

  function move(row, by, button) {
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(row);
    else other.after(row);
    renumber(row);
    button.focus();
  }

  for (const row of body.rows) {
    const title = row.querySelector("label").textContent;
    const cell = row.querySelector(".place");
    for (const [sign, word, by] of [["\u2191", "up", -1], ["\u2193", "down", 1]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet step";
      button.textContent = sign;
      button.setAttribute("aria-label", `Move ${word}: ${title}`);
      button.addEventListener("click", () => move(row, by, button));
      cell.append(button);
    }
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", title);
      row.classList.add("dragged");
    });
    row.addEventListener("dragend", () => {
      row.classList.remove("dragged");
      renumber(row);
      dragged = null;
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged || dragged === row) return;
      event.preventDefault();
      const { top, height } = row.getBoundingClientRect();
      if (event.clientY < top + height / 2) row.before(dragged);
      else row.after(dragged);
    });
  }
}
