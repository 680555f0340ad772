/* pocgeo-store.js: packed cells or areas as numbers: where they are, their groups from afar, what each
   measure says of them in each period. Mirrors pocgeo/products/maps/cell_layer.py. */
(function () {
  'use strict';
  const P = window.pocgeo, UNKNOWN = 255, RAD = Math.PI / 180, KEPT = 40;

  const mercatorX = (lon) => lon / 360 + 0.5;
  function mercatorY(lat) { const s = Math.sin(lat * RAD); return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI); }

  function centre(code, resolution) {
    const [lat, lon] = h3.cellToLatLng(P.wordsOfCode(code, resolution));
    return [mercatorX(lon), mercatorY(lat)];
  }

  /** Corners of a cell about its centre; null where an edge of the icosahedron adds corners. */
  function corners(code, resolution) {
    const ring = h3.cellToBoundary(P.wordsOfCode(code, resolution)), at = centre(code, resolution);
    if (ring.length !== 6) return null;
    const out = new Float64Array(12);
    ring.forEach((corner, i) => {
      const dx = mercatorX(corner[1]) - at[0];
      out[2 * i] = dx - Math.round(dx);
      out[2 * i + 1] = mercatorY(corner[0]) - at[1];
    });
    return out;
  }

  /* Children of one parent lie on a lattice: the plan of one parent, turned and stretched, fits the
     others, except across an edge of the icosahedron, where every centre is asked for. */
  function planOf(parent, size, resolution) {
    const x = new Float64Array(size), y = new Float64Array(size), at = centre(parent * size, resolution);
    for (let k = 0; k < size; k++) { const c = centre(parent * size + k, resolution); x[k] = c[0] - at[0]; y[k] = c[1] - at[1]; }
    return { x, y };
  }

  function fit(plan, parent, size, resolution, tolerance) {
    const a = size / 7, b = 3 * size / 7, sub = size > 7 ? size / 49 : 0;
    const at = centre(parent * size, resolution), pa = centre(parent * size + a, resolution), pb = centre(parent * size + b, resolution);
    const det = plan.x[a] * plan.y[b] - plan.y[a] * plan.x[b];
    const ax = pa[0] - at[0], ay = pa[1] - at[1], bx = pb[0] - at[0], by = pb[1] - at[1];
    const m = [
      (ax * plan.y[b] - bx * plan.y[a]) / det, (bx * plan.x[a] - ax * plan.x[b]) / det,
      (ay * plan.y[b] - by * plan.y[a]) / det, (by * plan.x[a] - ay * plan.x[b]) / det];
    for (const k of [2, 4, 5, 6].map((d) => d * a + d * sub).concat([a + sub, b + 3 * sub])) {
      const c = centre(parent * size + k, resolution);
      const ex = at[0] + m[0] * plan.x[k] + m[1] * plan.y[k] - c[0], ey = at[1] + m[2] * plan.x[k] + m[3] * plan.y[k] - c[1];
      if (!(Math.hypot(ex, ey) <= tolerance)) return null;
    }
    return { at, m };
  }

  /** Centres of all cells of a level in Mercator units (0-1), in groups that share one shape; a generator,
      so that levels not yet asked for are made a little at a time. */
  function* geometry(level) {
    const { codes, resolution, x, y, groups } = level, up = Math.min(3, resolution), size = Math.pow(7, up), plans = [];
    for (let from = 0, to; from < codes.length; from = to) {
      const parent = Math.floor(codes[from] / size), end = (parent + 1) * size;
      for (to = from + 1; to < codes.length && codes[to] < end;) to++;
      let shape = null;
      for (const k of [(from + to) >> 1, from, to - 1]) shape = shape || corners(codes[k], resolution);
      shape = shape || (groups.length ? groups[groups.length - 1].shape : new Float64Array(12));
      let radius = 0;
      for (let v = 0; v < 12; v += 2) radius = Math.max(radius, Math.hypot(shape[v], shape[v + 1]));
      let found = null, plan = null;
      if (to - from > 12 && size > 1) {
        for (let i = 0; !found && i <= plans.length && i < 5; i++) {
          if (i === plans.length) plans.push(planOf(parent, size, resolution));
          plan = plans[i];
          found = fit(plan, parent, size, resolution, radius * 0.05);
        }
      }
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let k = from; k < to; k++) {
        const d = codes[k] - parent * size;
        if (found) {
          x[k] = found.at[0] + found.m[0] * plan.x[d] + found.m[1] * plan.y[d];
          y[k] = found.at[1] + found.m[2] * plan.x[d] + found.m[3] * plan.y[d];
        } else [x[k], y[k]] = centre(codes[k], resolution);
        box[0] = Math.min(box[0], x[k]); box[1] = Math.min(box[1], y[k]);
        box[2] = Math.max(box[2], x[k]); box[3] = Math.max(box[3], y[k]);
      }
      groups.push({ from, to, shape, radius, box: [box[0] - radius, box[1] - radius, box[2] + radius, box[3] + radius] });
      yield groups.length;
    }
  }

  /* ---- values and classes ---- */
  class Measure {
    constructor(head, pieces) {
      Object.assign(this, head);
      this.pieces = pieces; this.unknown = head.bits === 8 ? 255 : 65535;
      this.cache = new Map(); this.planes = new Map();
    }
    /** Which plane of codes holds a period of the slider; -1: none. */
    planeOf(period) { return this.at.length ? this.at[period] : 0; }
    /** Values, classes and the codes of a period; asked for as often as one likes, done once. */
    load(period) { this.loading = this.loading || this.unpack(period); return this.loading; }
    async unpack(period) {
      const values = await P.unpackJson(this.values);
      let sum = 0;
      this.value = Float64Array.from(values, this.exact ? (step) => (sum += step) / this.scale : Number);
      this.classOfCode = new Uint8Array(this.unknown + 1).fill(UNKNOWN);
      this.classes.forEach((_, i) => this.classOfCode.fill(i, this.first[i], this.first[i + 1]));
      await this.codesFor(period);
    }
    async open(period) { await this.load(period); await this.codesFor(period); }
    async codesFor(period) {
      const plane = this.planeOf(period);
      if (plane >= 0 && !this.planes.has(plane)) this.planes.set(plane, P.codesOfPlanes(await P.blob(this.codes[plane]), this.bits, this.pieces));
    }
    opened(period) { const plane = this.planeOf(period); return Boolean(this.classOfCode) && (plane < 0 || this.planes.has(plane)); }
    cellsOf(klass, period) {
      const plane = this.planeOf(period);
      if (plane < 0) return klass === UNKNOWN ? this.pieces : 0;
      return klass === UNKNOWN ? this.missingCells[plane] : this.counts[plane][klass];
    }
    classOf(value) {
      if (Number.isNaN(value)) return UNKNOWN;
      if (this.categories) return value;
      let k = 0;
      while (k < this.edges.length && value >= this.edges[k]) k++;
      return k;
    }
    /** Value of one drawn piece: its own, or what stands for a group (mean, sum, max, mode). */
    valueAt(level, k, how, period) {
      const code = this.planes.get(this.planeOf(period));
      if (!code) return NaN;
      if (!level.first) return code[k] === this.unknown ? NaN : this.value[code[k]];
      const part = { codes: [0], first: level.first.subarray(k, k + 2) };
      return this.valuesOf(part, how, code)[0];
    }
    valuesOf(level, how, code) {
      const out = new Float64Array(level.codes.length), { unknown, value } = this, counts = this.categories && how !== 'max' ? new Uint32Array(this.classes.length) : null;
      for (let k = 0; k < out.length; k++) {
        let sum = 0, known = 0, most = -Infinity;
        if (counts) counts.fill(0);
        for (let i = level.first[k]; i < level.first[k + 1]; i++) {
          const c = code[i];
          if (c === unknown) continue;
          const v = value[c];
          known++; sum += v; if (v > most) most = v; if (counts) counts[v]++;
        }
        out[k] = !known ? NaN : how === 'max' ? most : counts ? counts.indexOf(Math.max(...counts)) : how === 'sum' ? sum : sum / known;
      }
      return out;
    }
    classesAt(level, how, period) {
      const plane = this.planeOf(period), key = level.resolution + how + plane, code = this.planes.get(plane);
      if (!this.cache.has(key)) {
        const out = new Uint8Array(level.codes.length);
        if (!code) out.fill(UNKNOWN);
        else if (!level.first) for (let k = 0; k < out.length; k++) out[k] = this.classOfCode[code[k]];
        else { const values = this.valuesOf(level, how, code); for (let k = 0; k < out.length; k++) out[k] = this.classOf(values[k]); }
        if (this.cache.size >= KEPT) this.cache.delete(this.cache.keys().next().value);
        this.cache.set(key, out);
      }
      return this.cache.get(key);
    }
  }

  class Store {
    constructor(head) {
      this.head = head; this.levels = new Map(); this.hatches = new Map();
      this.measures = head.measures.map((measure) => new Measure(measure, head.cells));
    }
    /** Enough for the first picture; what tooltips and other measures need follows in `rest`. */
    async open(shown) {
      if (this.head.kind === 'areas') {
        [this.geometry, this.titles] = await Promise.all([P.unpackJson(this.head.geometry), P.unpackJson(this.head.titles)]);
        this.codes = new Float64Array(this.head.cells);
      } else this.codes = P.codesOfRuns(await P.blob(this.head.ids), this.head.cells);
      await this.measures[shown].load(this.head.start);
      if (this.head.hatch) this.hatched = await P.blob(this.head.hatch.codes);
      this.texts = [];
      this.rest = new Promise((done) => setTimeout(done, 0)).then(() => this.openRest());
      return this;
    }
    async openRest() {
      for (const measure of this.measures) await measure.load(this.head.start);
      this.texts = await Promise.all(this.head.texts.map(async (text) => {
        const [low, high, words] = await Promise.all([P.blob(text.low), P.blob(text.high), P.unpackJson(text.words)]);
        const code = P.codesOfPlanes(low, 16, this.head.cells);
        return { label: text.label, reason: text.reason, at: (k) => words[code[k] + high[k] * 65536] };
      }));
    }
    started(resolution) {
      if (!this.levels.has(resolution)) {
        let codes = this.codes, first = null;
        if (resolution < this.head.resolution) {
          const size = Math.pow(7, this.head.resolution - resolution), parents = [], starts = [];
          for (let i = 0, next = -1; i < codes.length; i++) if (codes[i] >= next) { const p = Math.floor(codes[i] / size); parents.push(p); starts.push(i); next = (p + 1) * size; }
          starts.push(codes.length);
          codes = Float64Array.from(parents); first = Uint32Array.from(starts);
        }
        const level = { resolution, codes, first, x: new Float64Array(codes.length), y: new Float64Array(codes.length), groups: [] };
        level.steps = geometry(level);
        this.levels.set(resolution, level);
      }
      return this.levels.get(resolution);
    }
    level(resolution) {
      const level = this.started(resolution);
      if (level.steps) { while (!level.steps.next().done); level.steps = null; }
      return level;
    }
    /** Make the levels a reader may come to, a few milliseconds at a time while the page is idle. */
    prepare(resolutions) {
      const wait = window.requestIdleCallback || ((work) => setTimeout(work, 60));
      const work = () => {
        const level = resolutions.map((r) => this.started(r)).find((candidate) => candidate.steps);
        if (!level) return;
        for (const until = performance.now() + 8; performance.now() < until;) if (level.steps.next().done) { level.steps = null; break; }
        wait(work);
      };
      wait(work);
    }
    /** Which pieces of a level are hatched: a group, when more than half of it is. */
    hatchAt(level) {
      if (!this.hatched || !level.first) return this.hatched || null;
      if (!this.hatches.has(level.resolution)) {
        const out = new Uint8Array(level.codes.length);
        for (let k = 0; k < out.length; k++) {
          let n = 0;
          for (let i = level.first[k]; i < level.first[k + 1]; i++) n += this.hatched[i];
          out[k] = 2 * n > level.first[k + 1] - level.first[k] ? 1 : 0;
        }
        this.hatches.set(level.resolution, out);
      }
      return this.hatches.get(level.resolution);
    }
  }

  Object.assign(P, { Store, mercatorX, mercatorY, UNKNOWN });
})();
