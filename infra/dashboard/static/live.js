// Keeps the page up to date: parts that changed come as server-sent events, already escaped, and replace what was there.
"use strict";

const root = document.documentElement;
const figures = new Map();
const byId = (id) => document.getElementById(id);

// ---- Charts: plotly draws what the server says; only colours are the page's ---------------------------------------

function draw(id) {
  const place = byId(id);
  const figure = figures.get(id);
  if (!place || !window.Plotly) return;
  place.parentElement.toggleAttribute("data-empty", !figure);
  if (!figure) {
    Plotly.purge(place);
    return;
  }
  look.draw(place, figure);
}

const drawAll = () => figures.forEach((_, id) => draw(id));

// ---- Parts of the page ----------------------------------------------------------------------------------------------

function replace(id, html) {
  const place = byId(id);
  if (!place) return;
  const open = new Map([...place.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
  const held = place.contains(document.activeElement) ? address(place, document.activeElement) : null;
  place.innerHTML = html;
  for (const [name, was] of open) byId(name)?.toggleAttribute("open", was);
  if (held) find(place, held)?.focus({ preventScroll: true });
}

// Where the focus is, in words that outlive the replacement: a link by where it leads, a summary by its details.
function address(place, element) {
  if (element.getAttribute("href")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  const details = element.closest("details[id]");
  return details ? `#${CSS.escape(details.id)} > summary` : null;
}

const find = (place, selector) => place.querySelector(selector);

function apply(update) {
  for (const [id, html] of Object.entries(update.html)) replace(id, html);
  for (const [id, figure] of Object.entries(update.charts)) {
    figures.set(id, figure);
    draw(id);
  }
  for (const id of update.gone) {
    figures.delete(id);
    draw(id);
  }
}

// ---- The stream -----------------------------------------------------------------------------------------------------

let stream = null;
let lost = null;

function follow() {
  const { domain, entity } = document.body.dataset;
  const asked = new URLSearchParams(entity ? { domain, entity } : {});
  stream = new EventSource(`live?${asked}`);
  stream.addEventListener("update", (event) => {
    clearTimeout(lost);
    lost = null;
    root.dataset.live = "yes";
    apply(JSON.parse(event.data));
  });
  stream.onerror = () => {
    lost ??= setTimeout(() => {
      byId("at-status").textContent = "The dashboard itself doesn't answer: trying again. Is `tradewind dashboard` still running?";
      if (stream?.readyState === EventSource.CLOSED) follow();
      lost = null;
    }, 3000);
  };
}

function stop() {
  stream?.close();
  stream = null;
  clearTimeout(lost);
  lost = null;
}

// ---- Controls -------------------------------------------------------------------------------------------------------

byId("pause").addEventListener("click", (event) => {
  const paused = stream !== null;
  if (paused) stop();
  else follow();
  event.currentTarget.setAttribute("aria-pressed", String(paused));
  event.currentTarget.textContent = paused ? "Go on" : "Pause";
});

const showTheme = look.switching(byId("theme"), drawAll, (chosen) => {
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // then it lasts until the page is left
  }
});

byId("domain").addEventListener("change", async (event) => {
  const answer = await fetch(`api/entities/${encodeURIComponent(event.currentTarget.value)}`);
  if (!answer.ok) return;
  const { newest } = await answer.json();
  byId("entity").value = newest[0] ?? "";
  byId("at-entities").replaceChildren(...newest.map((name) => Object.assign(document.createElement("option"), { value: name })));
});

byId("sign-out")?.addEventListener("click", async () => {
  await fetch("api/session", { method: "DELETE" });
  location.reload();
});

// ---- Changes: each asked for in a dialog, with a reason ------------------------------------------------------------

for (const button of document.querySelectorAll("[data-open]")) {
  button.addEventListener("click", () => byId(`dialog-${button.dataset.open}`).showModal());
}
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
for (const form of document.querySelectorAll("form[data-act]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector(".told");
    const send = form.querySelector("[type=submit]");
    told.textContent = "Working…";
    send.disabled = true;
    try {
      const answer = await fetch(form.dataset.act, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Tradewind": "page" },
        body: JSON.stringify(given(form)),
      });
      const said = await answer.json();
      told.textContent = answer.ok ? said.told : `Not done: ${words(said.detail)}.`;
    } catch {
      told.textContent = "Not done: the dashboard doesn't answer.";
    }
    send.disabled = false;
  });
}

const words = (detail) => (typeof detail === "string" ? detail : detail.map((one) => `${one.loc.at(-1)}: ${one.msg}`).join("; "));

function given(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    found[field.name] = field.type === "checkbox" ? field.checked : field.type === "number" ? Number(field.value) : field.value;
  }
  return found;
}

showTheme();
follow();
