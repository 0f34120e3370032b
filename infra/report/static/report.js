// Draws the charts of a report, again when its colours change, and for paper in light ones.
"use strict";
(() => {
  const root = document.documentElement;
  const figures = Object.entries(JSON.parse(document.getElementById("figures").textContent));

  function draw([id, figure]) {
    const place = document.getElementById(id);
    if (!place || !place.clientWidth) return Promise.resolve(); // folded away: drawn when it is opened
    return look.draw(place, figure);
  }

  async function drawAll() {
    for (const one of figures) await draw(one);
    root.dataset.drawn = "yes";
  }

  function drawIn(part) {
    for (const one of figures) if (part.contains(document.getElementById(one[0]))) draw(one);
  }

  const show = look.switching(document.getElementById("theme"), drawAll);
  for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", () => drawIn(details));

  let before = null;
  addEventListener("beforeprint", () => {
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    for (const one of before.closed) one.open = true;
    show();
  });
  addEventListener("afterprint", () => {
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    for (const one of before.closed) one.open = false;
    show();
  });
  show();
})();
