// Draws the charts of a report in the page's colours, again when these change, and for paper in light ones.
"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const figures = Object.entries(JSON.parse(document.getElementById("figures").textContent));
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  function template() {
    const axis = { gridcolor: css("--line"), linecolor: css("--line"), tickcolor: css("--line"), title: { standoff: 8 } };
    return {
      layout: {
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: css("--font"), size: 12, color: css("--quiet") },
        xaxis: axis,
        yaxis: axis,
        hoverlabel: { bgcolor: css("--card"), bordercolor: css("--line"), font: { color: css("--text") } },
      },
    };
  }

  function draw([id, figure]) {
    const place = document.getElementById(id);
    if (!place || !place.clientWidth) return Promise.resolve(); // folded away: drawn when it is opened
    const layout = { ...figure.layout, template: template(), autosize: true };
    return Plotly.react(place, figure.data, layout, { displayModeBar: false, responsive: true });
  }

  async function drawAll() {
    for (const one of figures) await draw(one);
    root.dataset.drawn = "yes";
  }

  function drawIn(part) {
    for (const one of figures) if (part.contains(document.getElementById(one[0]))) draw(one);
  }

  function show() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
    return drawAll();
  }

  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
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
