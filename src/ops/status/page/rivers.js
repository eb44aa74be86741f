/**
 * The picture of the two rivers that merge. Streams come in above and run freely; files stand in a reservoir below, behind the weir, whose
 * gate lets through what the cap allows. What waits on disk stands in a basin beside the stream. Width and speed grow with the logarithm of the rate, so that 10 and 10,000 a second both show.
 */

/** What of the width lies before the weir, where the rivers begin to turn, and where they are one. */
const weirAt = 0.3;
const turnFrom = 0.34;
const turnTo = 0.68;
/** Where the stream goes into the basin while nothing is forwarded. */
const ditchFrom = 0.05;
const ditchTo = 0.2;
const particlesMax = 110;

export function createRivers(canvas) {
  const pen = canvas.getContext("2d");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const streams = { rate: 0, width: 0, tint: "#000000", above: true, particles: scattered(0) };
  const files = { rate: 0, width: 0, tint: "#000000", above: false, particles: scattered(0.5) };
  const now = {
    pool: 0,
    poolWanted: 0,
    basin: 0,
    basinWanted: 0,
    held: 0,
    heldWanted: 0,
    capped: false,
    flowing: false,
    paper: "#ffffff",
    sea: "#000000",
    ink: "",
    soft: "",
  };
  let size = { width: 0, height: 0 };
  let last = 0;

  function resize() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(0);
  }

  const wantedWidth = (value) => value <= 0 ? 0 : size.height * Math.min(0.24, 0.045 + 0.045 * Math.log10(1 + value));
  const smooth = (x) => x <= 0 ? 0 : x >= 1 ? 1 : x * x * (3 - 2 * x);

  /** What of a river flows on at x, 0 to 1: nothing of a stream behind the basin while all of it goes there. */
  const onward = (river, x) => river.above ? 1 - now.held * smooth((x - ditchFrom) / (ditchTo - ditchFrom)) : 1;
  const seaWidth = () => streams.width * onward(streams, 1) + files.width;

  /** Centre and half width of a river at x, from 0 to 1 of the picture. */
  function bed(river, x) {
    const { height } = size;
    const turn = smooth((x - turnFrom) / (turnTo - turnFrom));
    const source = height * (river.above ? 0.2 : 0.74);
    const mouth = height * 0.47 + (river.above ? -1 : 1) * (seaWidth() - river.width * onward(river, 1)) / 2;
    let half = river.width * onward(river, x) / 2;
    if (!river.above && now.capped) half = Math.max(half, reservoir(x));
    return { y: source + (mouth - source) * turn, half };
  }

  /** Half width of the water that stands before the weir. */
  function reservoir(x) {
    if (x >= weirAt) return 0;
    return now.pool * size.height * 0.2 * smooth((weirAt - x) / 0.02) * smooth(x / 0.16 + 0.25);
  }

  function ribbon(river, time) {
    const { width } = size;
    const steps = 90;
    // Opaque, mixed with the paper: where two waters touch, no seam shows.
    const tint = pen.createLinearGradient(0, 0, width, 0);
    tint.addColorStop(0, now.paper);
    tint.addColorStop(0.14, mixed(river.tint, now.paper, 0.5));
    tint.addColorStop(turnTo - 0.1, mixed(river.tint, now.paper, 0.55));
    tint.addColorStop(0.85, mixed(now.sea, now.paper, 0.55));
    tint.addColorStop(1, now.paper);
    pen.fillStyle = tint;
    pen.beginPath();
    for (const side of [-1, 1]) {
      for (let i = 0; i <= steps; i++) {
        const x = (side < 0 ? i : steps - i) / steps;
        const { y, half } = bed(river, x);
        // Where the rivers are one, their common side is no bank.
        const inner = side === (river.above ? 1 : -1) && x > turnTo;
        const wave = inner ? 1 : Math.sin(x * 26 + side + time * 1.4) * Math.min(1.6, half / 4);
        pen.lineTo(x * width, y + side * half + wave);
      }
    }
    pen.fill();
  }

  /** From x on. */
  function dryBed(river, from) {
    pen.strokeStyle = now.soft;
    pen.globalAlpha = 0.5;
    pen.lineWidth = 1.5;
    pen.setLineDash([3, 7]);
    pen.beginPath();
    for (let i = 0; i <= 60; i++) {
      const x = from + i / 60 * (1 - from);
      pen.lineTo(x * size.width, bed(river, x).y);
    }
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  function drift(river, seconds) {
    const { width } = size;
    const room = Math.min(1, 0.35 + width / 1000);
    const strength = Math.log10(1 + river.rate);
    const shownNow = river.rate <= 0 ? 0 : Math.min(particlesMax, Math.round((14 + 22 * strength) * room));
    const speed = (34 + 52 * strength) / Math.max(320, width);
    pen.strokeStyle = river.tint;
    pen.lineCap = "round";
    for (let i = 0; i < shownNow; i++) {
      const one = river.particles[i];
      const standing = !river.above && now.capped && one.at < weirAt;
      one.at = (one.at + seconds * speed * one.pace * (standing ? 0.3 : 1)) % 1;
      const next = one.at;
      const { y, half } = bed(river, next);
      // Behind the mouth each goes its own way through the whole river: that is the union.
      const merged = smooth((next - turnTo + 0.06) / 0.2);
      const own = y + one.lane * half * 0.8;
      const common = size.height * 0.47 + one.sea * seaWidth() * 0.42;
      const py = own + (common - own) * merged;
      const length = standing ? 3 : 5 + speed * 60;
      pen.globalAlpha = 0.85 * smooth(next / 0.08) * smooth((1 - next) / 0.12) * onward(river, next);
      pen.lineWidth = 1.4 + one.pace * 0.7;
      pen.beginPath();
      pen.moveTo(next * width - length, py - (bed(river, next).y - bed(river, next - length / width).y));
      pen.lineTo(next * width, py);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  function weir() {
    if (!now.capped) return;
    const x = weirAt * size.width;
    const { y } = bed(files, weirAt);
    const tall = size.height * 0.24;
    const gate = Math.max(3, files.width / 2 + 1);
    pen.fillStyle = now.ink;
    for (const [from, to] of [[y - tall, y - gate], [y + gate, y + tall]]) {
      pen.beginPath();
      pen.roundRect(x - 3.5, from, 7, Math.max(2, to - from), 3);
      pen.fill();
    }
  }

  /** Beside the stream, with a ditch from it and one back to it; nothing where it is empty. */
  function drawBasin() {
    if (now.basin < 0.01) return;
    const { width, height } = size;
    const [left, right, top, deep] = [width * 0.06, width * 0.24, height * 0.37, height * 0.16];
    const stream = bed(streams, 0.1).y;
    pen.strokeStyle = streams.tint;
    pen.globalAlpha = 0.6;
    pen.lineWidth = 3;
    pen.beginPath();
    for (const [bank, inside] of [[left - 6, left + 8], [right + 14, right - 8]]) {
      pen.moveTo(bank, stream);
      pen.quadraticCurveTo(bank, top + 4, inside, top + 6);
    }
    pen.stroke();
    pen.globalAlpha = 1;
    pen.fillStyle = now.paper;
    pen.strokeStyle = now.soft;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.roundRect(left, top, right - left, deep, [2, 2, 12, 12]);
    pen.fill();
    pen.save();
    pen.clip();
    pen.fillStyle = mixed(streams.tint, now.paper, 0.55);
    pen.fillRect(left, top + deep * (1 - now.basin), right - left, deep);
    pen.restore();
    pen.stroke();
  }

  function draw(seconds) {
    const ease = still.matches ? 1 : Math.min(1, seconds * 2.5);
    for (const river of [streams, files]) river.width += (wantedWidth(river.rate) - river.width) * ease;
    now.pool += (now.poolWanted - now.pool) * ease;
    now.basin += (now.basinWanted - now.basin) * ease;
    now.held += (now.heldWanted - now.held) * ease;
    pen.clearRect(0, 0, size.width, size.height);
    for (const river of [streams, files]) {
      if (river.width < 0.5 && (river.above || now.pool < 0.02)) dryBed(river, 0);
      else ribbon(river, last / 1000);
    }
    if (streams.width >= 0.5 && now.held > 0.5) dryBed(streams, ditchTo);
    drawBasin();
    drift(streams, seconds);
    drift(files, seconds);
    weir();
  }

  function frame(time) {
    requestAnimationFrame(frame);
    // Thirty pictures a second are enough for water, and half the work.
    if (still.matches || time - last < 30) return;
    const seconds = Math.min(0.1, (time - last) / 1000);
    last = time;
    draw(now.flowing ? seconds : 0);
  }

  new ResizeObserver(resize).observe(canvas);
  requestAnimationFrame(frame);

  return {
    /**
     * Rates a second, whether there is a cap, how full reservoir and basin are (0 to 1), whether all of the stream goes into the basin, and
     * whether the figures are fresh.
     */
    show({ streamsRate, filesRate, capped, pool, basin, held, flowing }) {
      const style = getComputedStyle(document.documentElement);
      const tint = (name) => style.getPropertyValue(name).trim();
      Object.assign(streams, { rate: streamsRate, tint: tint("--streams") });
      Object.assign(files, { rate: filesRate, tint: tint("--files") });
      Object.assign(now, { capped, poolWanted: pool, basinWanted: basin, heldWanted: held ? 1 : 0, flowing });
      Object.assign(now, { paper: tint("--paper"), sea: tint("--sea"), ink: tint("--ink"), soft: tint("--soft") });
      if (still.matches) draw(0);
    },
  };
}

/** Particles, placed evenly by multiples of irrational numbers: it looks like chance, and is the same each time. */
function scattered(seed) {
  const share = (i, step) => (seed + i * step) % 1;
  return Array.from({ length: particlesMax }, (_, i) => ({
    at: share(i, 0.618034),
    lane: share(i, 0.754878) * 2 - 1,
    pace: 0.75 + share(i, 0.56984) * 0.5,
    sea: share(i, 0.324718) * 2 - 1,
  }));
}

/** So much of one colour `#rrggbb` in another. */
function mixed(one, other, share) {
  const part = (colour, i) => Number.parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  const parts = [0, 1, 2].map((i) => Math.round(part(one, i) * share + part(other, i) * (1 - share)));
  return `rgb(${parts.join(" ")})`;
}
