/**
 * Figures as people read them, and the few ways in which this page touches the document. Text from the gateway becomes text nodes, never
 * markup.
 */

const countText = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `1,234`. */
export function count(value) {
  return countText.format(value);
}

/** `0`, `0.4`, `12`, `1,234`: a rate that is small shows that it is not nothing. */
export function rate(value) {
  return value > 0 && value < 10 ? (Math.round(value * 10) / 10).toString() : count(value);
}

/** `1.2 ms`, `340 ms`, `2.4 s`, `3 min`. */
export function delay(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${count(ms / 60_000)} min`;
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: rounded up, so that the last second is 1. */
export function span(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 && seconds % 60 > 0 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `317 B`, `1.5 KiB`, `256 MiB`. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${scaled.toFixed(power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`;
}

/** What would be invisible, or turn the text around it, becomes visible. */
export function shown(text) {
  return String(text).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function byId(id) {
  return document.getElementById(id);
}

/** Sets a text, if it is another one: a screen reader's place is not lost for nothing. */
export function say(id, text) {
  const node = typeof id === "string" ? byId(id) : id;
  if (node.textContent !== text) node.textContent = text;
}

/** Says how something is: good, warn, bad or wait. */
export function sayState(id, state, text) {
  byId(id).dataset.state = state;
  say(id, text);
}

/** An element with classes, and text or elements inside. */
export function made(tag, className, ...inside) {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  node.append(...inside);
  return node;
}

/** A bar from 0 to 1; null: nobody knows. */
export function fill(bar, share, words) {
  const percent = share === null ? 0 : Math.round(Math.min(1, Math.max(0, share)) * 100);
  bar.firstElementChild.style.width = `${percent}%`;
  if (share === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", String(percent));
  bar.setAttribute("aria-valuetext", words);
}

/** Brings a list to these things, each known by a key: what stays keeps its element, and with it focus and whether it is open. */
export function keep(list, things, keyOf, make, update) {
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = things.map((thing) => {
    const key = keyOf(thing);
    const node = old.get(key) ?? make(thing);
    node.dataset.key = key;
    update(node, thing);
    return node;
  });
  if (wanted.length !== list.children.length || wanted.some((node, i) => node !== list.children[i])) {
    list.replaceChildren(...wanted);
  }
}

/**
 * Draws curves over one time and one scale into an SVG of 300 by 64.
 *
 * @param curves each `{ className, values, filled }`; a value of null is a gap
 * @param times of the values, in ms, rising
 */
export function drawCurves(svg, times, curves, floor) {
  const end = times.at(-1) ?? 0;
  const start = Math.min(times[0] ?? 0, end - 60_000);
  const peak = Math.max(floor, ...curves.flatMap((curve) => curve.values.map((value) => value ?? 0)));
  const x = (i) => ((times[i] - start) / (end - start) * 300).toFixed(1);
  const y = (value) => (62 - value / peak * 60).toFixed(1);
  const paths = curves.flatMap(({ className, values, filled }) => {
    let line = "";
    let area = "";
    let from = null;
    values.forEach((value, i) => {
      if (value === null) return;
      const first = values[i - 1] === null || i === 0;
      if (first) from = x(i);
      line += `${first ? "M" : "L"}${x(i)} ${y(value)}`;
      area += `${first ? `M${from} 62L` : "L"}${x(i)} ${y(value)}`;
      if (values[i + 1] === null || i === values.length - 1) area += `L${x(i)} 62Z`;
    });
    return [...(filled ? [path("filled", area)] : []), path(className, line)];
  });
  svg.replaceChildren(...paths);
  const scale = svg.nextElementSibling;
  say(scale.querySelector(".from"), `${span(end - start)} ago`);
  return { peak, scale: scale.querySelector(".peak") };
}

function path(className, d) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "path");
  node.setAttribute("class", className);
  node.setAttribute("d", d);
  return node;
}
