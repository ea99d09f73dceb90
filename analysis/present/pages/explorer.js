"use strict";
// Shows what the page holds: every number was made beforehand, and survival at a time is looked up in the curves' steps.
(function () {
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("explorer-data").textContent);
  const slider = find("cut");
  const time = find("time");
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

  const percent = (share) => (share === null ? "–" : String(Math.round(100 * share)));

  // the step of each group's curve that holds at a time; none beyond its end
  function readAt(cut, at) {
    return ["low", "high"].map((group) => {
      const steps = cut.curves.filter((curve) => curve.group === group).flatMap(points);
      if (!steps.length || at > steps[steps.length - 1].time) return null;
      return { ...steps.filter((step) => step.time <= at).pop(), time: at };
    });
  }

  function showReading(cut, shown) {
    const at = Number(time.value);
    const words = at.toFixed(shown.end < 10 ? 2 : shown.end < 200 ? 1 : 0) + " " + shown.time_unit;
    const steps = readAt(cut, at);
    const text = steps.map((step, i) => cut.groups[i][0] + ": " + (step
      ? percent(step.survival) + "% (" + percent(step.low) + " to " + percent(step.high) + ")" : "beyond follow-up")).join("; ");
    write(find("time-value"), words);
    write(find("reading"), text);
    time.setAttribute("aria-valuetext", words + ", " + text);
    if (views.curves) views.curves.data("read", steps.filter(Boolean)).run();
  }

  function showMilestones(cut) {
    find("milestones").replaceChildren(...cut.milestones.map(([heading, ...shares]) => {
      const tile = document.createElement("p");
      const lines = [heading, ...shares.map((share, i) => cut.groups[i][0] + ": " + share)];
      tile.replaceChildren(...lines.map((words, i) => {
        const line = document.createElement(i ? "strong" : "span");
        line.textContent = words;
        return line;
      }));
      return tile;
    }));
  }

  // the table of the two groups as shown, with what is said of the cut
  function tableText() {
    const shown = data.endpoints[endpoint];
    const cut = shown.cuts[Number(slider.value)];
    const heads = ["Endpoint", "Cut", ...[...find("groups").tHead.rows[0].cells].map((head) => head.textContent)];
    heads.push(...cut.milestones.map((row) => row[0]), ...[...document.querySelectorAll(".cards:first-of-type span")].map((head) => head.textContent));
    const said = [...document.querySelectorAll(".cards:first-of-type strong")].map((words) => words.textContent);
    const rows = cut.groups.map((words, i) => [shown.name, cut.value, ...words, ...cut.milestones.map((row) => row[i + 1]), ...said]);
    const quoted = (words) => '"' + words.replaceAll('"', '""').replace(/^(?=[=+@-])/, "'") + '"';
    return [heads, ...rows].map((row) => row.map(quoted).join(",") + "\n").join("");
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", tableText()], { type: "text/csv" }));
    link.download = "cut-" + data.endpoints[endpoint].cuts[Number(slider.value)].address + ".csv";
    link.click();
    URL.revokeObjectURL(link.href);
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
    showMilestones(cut);
    showCharts(cut);
    showReading(cut, shown);
    document.body.dataset.shown = endpoint + ":" + place;
    clearTimeout(waiting); // a reader of the screen hears where the slider comes to rest
    if (speak) waiting = setTimeout(() => write(find("spoken"), cut.sentence), 400);
  }

  // a link holds the cut: explorer.html#endpoint=Overall+survival&cut=0.75
  function keepAddress() {
    const shown = data.endpoints[endpoint];
    const address = new URLSearchParams({ endpoint: shown.name, cut: shown.cuts[Number(slider.value)].address });
    if (location.protocol === "file:" || location.protocol.startsWith("http")) history.replaceState(null, "", "#" + address);
  }

  function takeAddress() {
    const address = new URLSearchParams(location.hash.slice(1));
    const named = data.endpoints.findIndex((one) => one.name === address.get("endpoint"));
    if (named >= 0) endpoint = named;
    const place = data.endpoints[endpoint].cuts.findIndex((cut) => cut.address === address.get("cut"));
    if (place >= 0) slider.value = place;
    const choice = document.querySelector('input[name="endpoint"][value="' + endpoint + '"]');
    if (choice) choice.checked = true;
  }

  function startReading() {
    const end = data.endpoints[endpoint].end;
    time.max = end;
    time.step = end < 10 ? 0.01 : end < 200 ? 0.1 : 1;
    time.value = end / 2;
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

  function move() { show(true); keepAddress(); }

  slider.addEventListener("input", move);
  buttons.forEach((button) => button.addEventListener("click", () => { slider.value = button.dataset.place; move(); }));
  time.addEventListener("input", () => showReading(data.endpoints[endpoint].cuts[Number(slider.value)], data.endpoints[endpoint]));
  find("curves").addEventListener("pointermove", (event) => {
    const plot = find("curves").querySelector("svg .role-frame .background");
    if (!plot) return;
    const place = plot.getBoundingClientRect();
    time.value = (data.endpoints[endpoint].end * (event.clientX - place.left)) / place.width;
    time.dispatchEvent(new Event("input"));
  });
  find("save").addEventListener("click", save);
  window.addEventListener("hashchange", () => { takeAddress(); startReading(); show(true); draw(); });
  document.querySelectorAll('input[name="endpoint"]').forEach((choice) =>
    choice.addEventListener("change", () => { endpoint = Number(choice.value); startReading(); move(); draw(); }));
  slider.value = data.start;
  takeAddress();
  startReading();
  show(false);
  draw();
})();
