"use strict";
// Shows what the page holds: every number and sentence was made beforehand, nothing is computed here.
(function () {
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("explorer-data").textContent);
  const slider = find("cut");
  const buttons = [...document.querySelectorAll(".jumps button")];
  const options = { renderer: "svg", actions: false, ast: true, tooltip: false, defaultStyle: false };
  let endpoint = 0;
  let views = {};
  let waiting = 0;

  const write = (element, words) => { if (element) element.textContent = words; };
  const label = (id, words) => { if (find(id)) find(id).setAttribute("aria-label", words); };

  function cell(kind, words, scope) {
    const made = document.createElement(kind);
    made.textContent = words;
    if (scope) made.scope = scope; else made.className = "number";
    return made;
  }

  function points(curve) {
    return curve.time.map((time, i) => ({
      group: curve.group, at_risk: curve.at_risk, time: time,
      survival: curve.survival[i], low: curve.low[i], high: curve.high[i],
    }));
  }

  function showTables(cut, shown) {
    const rows = find("groups").tBodies[0].rows;
    cut.groups.forEach((words, i) => {
      write(rows[i].querySelector("span"), words[0]);
      words.slice(1).forEach((text, j) => write(rows[i].cells[j + 1], text));
    });
    const risk = find("risk");
    write(risk.caption, shown.risk_caption);
    write(find("median"), shown.median_heading);
    write(find("limit"), shown.limit);
    write(find("risk-caption"), shown.risk_caption + ".");
    risk.tHead.rows[0].replaceChildren(cell("th", "Group", "col"), ...shown.times.map((time) => {
      const head = cell("th", time, "col");
      head.className = "number";
      return head;
    }));
    cut.risk.forEach((counts, i) => {
      const head = cell("th", cut.groups[i][0], "row");
      risk.tBodies[0].rows[i].replaceChildren(head, ...counts.map((words) => cell("td", words)));
    });
  }

  function showCharts(cut) {
    label("curves", cut.curves_alt);
    label("scan", cut.scan_alt);
    label("response", cut.response_alt);
    if (views.curves) views.curves.data("moving", cut.curves.flatMap(points)).run();
    if (views.scan) views.scan.data("now", cut.now).run();
    if (views.response) views.response.data("now", cut.now).run();
  }

  function show(speak) {
    const shown = data.endpoints[endpoint];
    const place = Number(slider.value);
    const cut = shown.cuts[place];
    slider.setAttribute("aria-valuetext", cut.spoken);
    write(find("value"), cut.value);
    write(find("mark"), cut.mark);
    write(find("ratio"), cut.ratio);
    write(find("adjusted"), cut.adjusted);
    write(find("p-naive"), cut.p_naive);
    write(find("p-corrected"), cut.p_corrected);
    write(find("caution"), cut.caution);
    write(find("response-words"), cut.response_alt);
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.place) === place)));
    showTables(cut, shown);
    showCharts(cut);
    document.body.dataset.shown = endpoint + ":" + place;
    clearTimeout(waiting); // a reader of the screen hears where the slider comes to rest
    if (speak) waiting = setTimeout(() => write(find("spoken"), cut.sentence), 400);
  }

  async function draw() {
    Object.values(views).forEach((view) => view.finalize());
    views = {};
    const mine = endpoint;
    for (const [id, chart] of Object.entries(data.endpoints[mine].charts)) {
      const made = await vegaEmbed(find(id), chart, options);
      if (mine !== endpoint) { made.view.finalize(); return; }
      views[id] = made.view;
    }
    show(false);
    document.body.dataset.drawn = String(mine);
  }

  slider.addEventListener("input", () => show(true));
  buttons.forEach((button) => button.addEventListener("click", () => { slider.value = button.dataset.place; show(true); }));
  document.querySelectorAll('input[name="endpoint"]').forEach((choice) =>
    choice.addEventListener("change", () => { endpoint = Number(choice.value); show(true); draw(); }));
  slider.value = data.start;
  show(false);
  draw();
})();
