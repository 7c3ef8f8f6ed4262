// Optional: without it the pages say the same, once. It shows times as "3 min ago" and, while something on the page can
// still change, fetches the page again and swaps the parts that did. No library, nothing from another host.
"use strict";

const REFRESH_MS = 3000;
const REFRESH_AT_MOST_MS = 60000;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size || unit === "second") return relative.format(Math.round(seconds / size), unit);
  }
  return "";
}

function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-exact])")) {
    if (!time.title) time.title = time.textContent;
    time.textContent = ago(new Date(time.dateTime));
  }
}

// A live part is an element with data-live="name". Open <details>, scroll and focus inside it survive a swap.
function swap(old, fresh) {
  const open = new Set([...old.querySelectorAll("details[open][id]")].map((node) => node.id));
  const logs = new Map();
  for (const log of old.querySelectorAll("pre.log[id]")) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
    logs.set(log.id, atEnd ? Infinity : log.scrollTop);
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceChildren(...fresh.childNodes);
  for (const name of fresh.getAttributeNames()) old.setAttribute(name, fresh.getAttribute(name));
  for (const node of old.querySelectorAll("details[id]")) node.open = open.has(node.id);
  for (const [id, top] of logs) {
    const log = document.getElementById(id);
    if (log) log.scrollTop = Math.min(top, log.scrollHeight);
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// as the server sent it: what is on the page has other times by now
const shown = new Map([...document.querySelectorAll("[data-live]")].map((part) => [part.dataset.live, part.outerHTML]));

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.querySelector(`[data-live="${old.dataset.live}"]`);
    if (!part || part.outerHTML === shown.get(old.dataset.live)) continue;
    shown.set(old.dataset.live, part.outerHTML);
    swap(old, part);
  }
  showTimes(document);
  document.title = fresh.title;
  return fresh.body.hasAttribute("data-refresh");
}

async function keepFresh() {
  let pause = REFRESH_MS;
  let again = document.body.hasAttribute("data-refresh");
  const note = document.getElementById("stale");
  while (again) {
    await new Promise((done) => setTimeout(done, pause));
    // a selection would be lost by a swap, and nobody looks at a hidden page
    if (document.hidden || String(getSelection())) continue;
    try {
      again = await refresh();
      pause = REFRESH_MS;
      if (note) note.hidden = true;
    } catch {
      pause = Math.min(pause * 2, REFRESH_AT_MOST_MS);
      if (note) note.hidden = false;
    }
  }
}

showTimes(document);
for (const log of document.querySelectorAll("pre.log[data-end]")) log.scrollTop = log.scrollHeight;
setInterval(() => showTimes(document), 15000);
keepFresh();
