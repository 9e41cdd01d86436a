"use strict";
// Draws the curves of the runs whose lines of metrics.jsonl stand in the page.
(() => {
  const runs = JSON.parse(document.getElementById("runs").textContent);
  const state = { axis: "step", scale: "linear", hidden: new Set() };
  const SVG = "http://www.w3.org/2000/svg";
  const AXES = { step: "steps", tokens: "tokens", seconds: "time" };

  const big = (value) => {
    for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(value) >= size) return +(value / size).toPrecision(3) + unit;
    }
    return String(+value.toPrecision(3));
  };
  const time = (value) => {
    if (value < 60) return +value.toPrecision(3) + " s";
    if (value < 3600) return +(value / 60).toFixed(1) + " min";
    return +(value / 3600).toFixed(1) + " h";
  };
  const place = (value) => (state.axis === "seconds" ? time(value) : big(value));
  const exact = (value) => (state.axis === "seconds" ? time(value) : value.toLocaleString("en"));
  const amount = {
    loss: (value) => value.toFixed(4),
    lr: (value) => value.toExponential(2),
    grad_norm: (value) => value.toPrecision(3),
    tokens_per_second: big,
  };

  function element(name, attributes, parent) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (parent) parent.append(made);
    return made;
  }

  // Round numbers that cover a range: 1, 2 or 5 times a power of ten apart.
  function ticks(low, high, count) {
    const span = high - low || Math.abs(high) || 1;
    const rough = span / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
    const found = [];
    for (let number = Math.ceil(low / step); number * step <= high + step * 1e-9; number++) found.push(number * step);
    return found;
  }

  // Times are read in minutes and hours, so their ticks are round in those.
  function timeTicks(low, high, count) {
    const unit = high < 120 ? 1 : high < 7200 ? 60 : 3600;
    return ticks(low / unit, high / unit, count).map((one) => one * unit);
  }

  function logTicks(low, high) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const factor of [1, 1.5, 2, 3, 5, 7]) {
        const value = factor * 10 ** power;
        if (value >= low && value <= high) found.push(value);
      }
    }
    return found.length < 2 ? ticks(low, high, 4) : found;
  }

  // What a line lacks is not drawn.
  function points(run, key) {
    return run.lines.filter((line) => key in line && state.axis in line).map((line) => ({ x: line[state.axis], y: line[key] }));
  }

  class Chart {
    constructor(box) {
      this.box = box;
      this.series = box.dataset.series.split(" "); // the last is the one with dots
      this.kind = box.dataset.kind;
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.tip.setAttribute("role", "status");
      box.addEventListener("pointermove", (event) => this.point(event.clientX));
      box.addEventListener("pointerdown", (event) => this.point(event.clientX));
      box.addEventListener("pointerleave", () => this.leave());
      box.addEventListener("blur", () => this.leave());
      box.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.draw()).observe(box);
    }

    draw() {
      const width = this.box.clientWidth, height = this.box.clientHeight;
      if (!width || !height) return;
      this.curves = runs.flatMap((run, number) =>
        state.hidden.has(number) ? [] : this.series.map((key) => ({ number, run, key, points: points(run, key) })));
      const all = this.curves.flatMap((curve) => curve.points);
      const svg = element("svg", { role: "img", "aria-label": this.box.dataset.label });
      this.box.replaceChildren(svg, this.tip);
      this.leave();
      if (!all.length) {
        element("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, svg).textContent = "nothing measured yet";
        return;
      }
      const isLog = state.scale === "log" && this.kind === "loss";
      const xs = all.map((one) => one.x), ys = all.map((one) => one.y);
      const least = (values) => values.reduce((a, b) => Math.min(a, b));
      const most = (values) => values.reduce((a, b) => Math.max(a, b));
      let low = least(ys), high = most(ys);
      const left = 48, right = 14, top = 10, bottom = 26;
      const room = (high - low || Math.abs(high) || 1) * 0.04;
      if (isLog) [low, high] = [low / 1.04, high * 1.04];
      else [low, high] = this.kind === "loss" ? [Math.max(0, low - room), high + room] : [Math.min(0, low), high + room];
      const end = most(xs) || 1;
      this.x = (value) => left + (value / end) * (width - left - right);
      const scaled = isLog ? Math.log : (value) => value;
      this.y = (value) => height - bottom - ((scaled(value) - scaled(low)) / (scaled(high) - scaled(low))) * (height - top - bottom);
      this.frame = { left, right, top, bottom, width, height };

      for (const value of isLog ? logTicks(low, high) : ticks(low, high, Math.max(4, height / 55))) {
        element("line", { class: "grid", x1: left, x2: width - right, y1: this.y(value), y2: this.y(value) }, svg);
        const words = this.kind === "lr" && value ? value.toExponential(0) : big(value);
        element("text", { x: left - 6, y: this.y(value) + 4, "text-anchor": "end" }, svg).textContent = words;
      }
      const count = Math.max(2, (width - left - right) / 90);
      for (const value of state.axis === "seconds" ? timeTicks(0, end, count) : ticks(0, end, count)) {
        const x = this.x(value);
        element("line", { class: "axis", x1: x, x2: x, y1: height - bottom, y2: height - bottom + 4 }, svg);
        const anchor = x > width - 30 ? "end" : "middle";
        element("text", { x: anchor === "end" ? width - right + 8 : x, y: height - 7, "text-anchor": anchor }, svg).textContent = place(value);
      }
      element("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }, svg);

      for (const curve of this.curves) {
        const dotted = curve.key === this.series.at(-1) && this.kind === "loss";
        const noisy = this.kind === "loss" && !dotted ? " noisy" : "";
        const color = `run-${curve.number % 6}`;
        const path = curve.points.map((one) => `${this.x(one.x).toFixed(1)},${this.y(one.y).toFixed(1)}`).join("L");
        if (path) element("path", { class: `curve ${color}${noisy}`, d: `M${path}` }, svg);
        if (dotted && curve.points.length <= width / 8) {
          for (const one of curve.points) element("circle", { class: `dot ${color}`, cx: this.x(one.x), cy: this.y(one.y), r: 3.5 }, svg);
        }
      }
      this.cursor = element("line", { class: "cursor", y1: top, y2: height - bottom, visibility: "hidden" }, svg);
      this.stops = [...new Set(xs)].sort((a, b) => a - b);
    }

    point(clientX) {
      if (!this.stops) return;
      const { left, right, width } = this.frame;
      const share = (clientX - this.box.getBoundingClientRect().left - left) / (width - left - right);
      this.show(nearest(this.stops, share * this.stops.at(-1)));
    }

    key(event) {
      if (!this.stops || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
      event.preventDefault();
      const last = this.stops.length - 1;
      const now = this.at === undefined ? -1 : this.stops.indexOf(this.at);
      const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
      this.show(this.stops[Math.min(last, Math.max(0, next))]);
    }

    show(at) {
      this.at = at;
      const x = this.x(at);
      this.cursor.setAttribute("x1", x);
      this.cursor.setAttribute("x2", x);
      this.cursor.setAttribute("visibility", "visible");
      const rows = this.curves.filter((curve) => curve.points.length).map((curve) => {
        const known = curve.points.map((one) => one.x);
        const one = curve.points[known.indexOf(nearest(known, at))];
        const row = document.createElement("div");
        const swatch = document.createElement("span");
        swatch.className = `swatch run-${curve.number % 6}`;
        const what = this.series.length > 1 ? `${curve.key.replace("_loss", "")} ` : "";
        const away = one.x === at ? "" : ` at ${place(one.x)}`;
        row.append(swatch, `${runs.length > 1 ? `${curve.run.label} ` : ""}${what}${amount[this.kind](one.y)}${away}`);
        return row;
      });
      const head = document.createElement("div");
      head.textContent = state.axis === "seconds" ? exact(at) : `${exact(at)} ${AXES[state.axis]}`;
      this.tip.replaceChildren(head, ...rows);
      this.tip.hidden = false;
      const over = x > this.frame.width / 2;
      this.tip.style.left = over ? "auto" : `${x + 10}px`;
      this.tip.style.right = over ? `${this.frame.width - x + 10}px` : "auto";
    }

    leave() {
      this.at = undefined;
      this.tip.hidden = true;
      this.cursor?.setAttribute("visibility", "hidden");
    }
  }

  function nearest(sorted, value) {
    return sorted.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best));
  }

  const charts = [...document.querySelectorAll(".plot")].map((box) => new Chart(box));
  const redraw = () => charts.forEach((chart) => chart.draw());
  document.querySelector(".controls").addEventListener("change", ({ target }) => {
    if (target.name === "run") {
      if (target.checked) state.hidden.delete(+target.value);
      else state.hidden.add(+target.value);
    } else {
      state[target.name] = target.value;
    }
    redraw();
  });
  addEventListener("beforeprint", redraw);
  redraw();
})();
