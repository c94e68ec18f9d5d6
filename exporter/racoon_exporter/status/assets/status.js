// Keeps the page as fresh as the exporter: fetches it anew and takes over what differs, node by node, so that focus, scroll,
// selection, what is typed and what is folded open stay as they are. Without this script the page is read as it came.
"use strict";

const EVERY = 5000;
const PATIENCE = 10000;
const PARTS = ["summary", "as-of", "main"];
const TOGGLED = { DETAILS: "open", INPUT: "value" };

const connection = document.getElementById("connection");
const pause = document.createElement("button");
let paused = false;
let timer = 0;

function same(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");
}

function takeAttributes(old, fresh) {
  const own = TOGGLED[old.nodeName];
  for (const { name } of [...old.attributes]) {
    if (name !== own && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== own && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function takeChildren(old, fresh) {
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let match = next;
    if (child.id) match = [...old.children].find((one) => one.id === child.id) || null;
    if (match === null || !same(match, child)) {
      old.insertBefore(document.importNode(child, true), next);
      continue;
    }
    if (match === next) next = next.nextSibling;
    else old.insertBefore(match, next);
    take(match, child);
  }
  while (next !== null) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function take(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  takeAttributes(old, fresh);
  takeChildren(old, fresh);
}

function show(text) {
  if (connection.textContent !== text) connection.textContent = text;
}

function takeOver(fresh) {
  const focused = document.activeElement;
  for (const id of PARTS) {
    const old = document.getElementById(id);
    const part = fresh.getElementById(id);
    if (old !== null && part !== null) take(old, part);
  }
  if (document.title !== fresh.title) document.title = fresh.title;
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

async function refresh() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const text = await answer.text();
    if (!paused) {
      takeOver(new DOMParser().parseFromString(text, "text/html"));
      show("");
    }
  } catch (error) {
    show("Not updated: the exporter does not answer.");
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY);
}

pause.type = "button";
pause.id = "pause";
pause.textContent = "Pause updates";
pause.setAttribute("aria-pressed", "false");
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  show(paused ? "Updates are paused." : "");
  refresh();
});
document.getElementById("updated").append(pause);
document.addEventListener("visibilitychange", refresh);
timer = setTimeout(refresh, EVERY);
