// A page's colours, light or dark, and charts drawn in them: what the dashboard and the reports share.
"use strict";

const look = (() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
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

  // Draws a figure, or draws it anew; a promise.
  function draw(place, figure) {
    const layout = { ...figure.layout, template: template(), autosize: true };
    return Plotly.react(place, figure.data, layout, { displayModeBar: false, responsive: true });
  }

  // The button switches the colours, and `keep` is told which. Returns what names the button and calls `redraw`: it is
  // called whenever the colours change; its first call is the caller's.
  function switching(button, redraw, keep = () => {}) {
    const show = () => {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
      return redraw();
    };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      keep(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    return show;
  }

  return { draw, switching };
})();
