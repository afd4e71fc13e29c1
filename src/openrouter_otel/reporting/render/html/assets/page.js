// Sorting, filtering, the theme and the charts. Without it the page is complete, only still.
"use strict";
(() => {
  const FOLD = 25; // rows shown of a long table until all are asked for
  const root = document.documentElement;
  const views = [];
  document.querySelectorAll(".control:not(.more)").forEach((control) => { control.hidden = false; });

  // Theme: the system's until the button is used.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.querySelector(".theme");
  let chosen = null;
  const paint = () => {
    const isDark = chosen === null ? dark.matches : chosen;
    root.dataset.theme = isDark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(isDark));
  };
  button.addEventListener("click", () => { chosen = root.dataset.theme !== "dark"; paint(); });
  dark.addEventListener("change", paint);
  paint();

  // Tables.
  const number = (text) => (/\d/.test(text) ? Number(text.replace(/[^\d.-]/g, "")) : -Infinity);
  const value = (row, column, words) => {
    const cell = row.cells[column];
    if (words) return cell.textContent;
    const bare = [...cell.childNodes].filter((node) => node.nodeName !== "SMALL" || /^\d{4}$/.test(node.textContent));
    return number(bare.map((node) => node.textContent).join(""));
  };
  const order = new Intl.Collator("en", { numeric: true }).compare;

  document.querySelectorAll(".lookup").forEach((section) => {
    const table = section.querySelector("table");
    const rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.rows[0].cells];
    const status = section.querySelector("[role=status]");
    const tally = section.querySelector(".tally");
    const more = section.querySelector(".more");
    const box = section.querySelector("input");
    let current = rows;

    const show = () => {
      const sought = box.value.trim().toLowerCase();
      const kept = current.filter((row) => {
        const found = !sought || row.textContent.toLowerCase().includes(sought);
        row.classList.toggle("out", !found);
        return found;
      });
      kept.forEach((row, place) => row.classList.toggle("beyond", place >= FOLD));
      tally.textContent = sought ? `${kept.length} of ${rows.length}` : String(rows.length);
      more.hidden = kept.length <= FOLD || !table.classList.contains("folded");
      return kept.length;
    };
    heads.forEach((head, column) => {
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.append(...head.childNodes);
      head.append(sorter);
      const words = head.classList.contains("w");
      sorter.addEventListener("click", () => {
        const first = words ? "ascending" : "descending";
        const second = words ? "descending" : "ascending";
        const way = head.getAttribute("aria-sort") === first ? second : first;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way);
        const keyed = rows.map((row) => [value(row, column, words), row]);
        const sign = way === "ascending" ? 1 : -1;
        keyed.sort(([a], [b]) => sign * (words ? order(a, b) : a < b ? -1 : a > b ? 1 : 0));
        current = keyed.map(([, row]) => row);
        table.tBodies[0].append(...current);
        show();
        status.textContent = `Sorted by ${sorter.textContent}, ${way}.`;
      });
    });
    box.addEventListener("input", () => { status.textContent = `${show()} of ${rows.length} rows.`; });
    more.querySelector("button").addEventListener("click", () => {
      table.classList.remove("folded");
      show();
      section.querySelector(".scroll").focus();
    });
    table.classList.add("folded");
    show();
  });

  // Charts.
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const options = {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    ast: true, // expressions are interpreted: the page forbids code made from text
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true, id: "vg-tooltip-element", theme: "page" },
  };
  const drawn = [...document.querySelectorAll("[data-chart]")].map(async (plot) => {
    const { view } = await vegaEmbed(plot, specs[plot.dataset.chart], options);
    plot.querySelector("svg").setAttribute("aria-hidden", "true"); // the plot itself is the labelled image
    views.push([plot, view]);
    plot.closest("figure").querySelectorAll("[data-series]").forEach((entry, _, entries) => {
      entry.addEventListener("click", () => {
        const alone = entry.getAttribute("aria-pressed") !== "true";
        entries.forEach((other) => other.setAttribute("aria-pressed", String(alone && other === entry)));
        view.signal("only", alone ? Number(entry.dataset.series) : -1).run();
      });
    });
  });
  Promise.all(drawn).then(() => { root.dataset.drawn = String(views.length); });

  // Paper has its own width; Vega hears of it from nobody.
  const fit = () => views.forEach(([plot, view]) => view.width(plot.clientWidth).run());
  const PAPER = { full: 672, broad: 374, slim: 255 }; // of A4 between our margins
  const printed = (plot) => PAPER[["slim", "broad"].find((size) => plot.closest(`.${size}`)) || "full"];
  addEventListener("beforeprint", () => views.forEach(([plot, view]) => view.width(printed(plot)).run()));
  addEventListener("afterprint", fit);
})();
