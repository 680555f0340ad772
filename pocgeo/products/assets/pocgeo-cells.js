/* pocgeo-cells.js: the layer of H3 cells. Drawn on one canvas from packed codes; far away, groups of
   cells (their H3 parents) stand for their children. Mirrors pocgeo/products/maps/cell_layer.py. */
(function () {
  'use strict';
  const P = window.pocgeo, UNKNOWN = 255, RAD = Math.PI / 180;
  const SMALLEST_PX = 2.5, OUTLINED_PX = 14, LOUD_PX = 10;

  const mercatorX = (lon) => lon / 360 + 0.5;
  function mercatorY(lat) { const s = Math.sin(lat * RAD); return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI); }

  function centre(code, resolution) {
    const [lat, lon] = h3.cellToLatLng(P.cellOfCode(code, resolution));
    return [mercatorX(lon), mercatorY(lat)];
  }

  /** Corners of a cell about its centre; null where an edge of the icosahedron adds corners. */
  function corners(code, resolution) {
    const cell = P.cellOfCode(code, resolution), ring = h3.cellToBoundary(cell), at = centre(code, resolution);
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

  /** Centres of all cells of a level in Mercator units (0-1), in groups that share one shape. */
  function geometry(codes, resolution) {
    const up = Math.min(3, resolution), size = Math.pow(7, up), x = new Float64Array(codes.length), y = new Float64Array(codes.length);
    const groups = [], plans = [];
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
    }
    return { x, y, groups };
  }

  /* ---- values and classes ---- */
  class Measure {
    constructor(head, cells) { Object.assign(this, head); this.cells = cells; this.unknown = head.bits === 8 ? 255 : 65535; this.cache = new Map(); }
    async load() {
      const [codes, values] = await Promise.all([P.blob(this.codes), P.unpackJson(this.values)]);
      this.code = P.codesOfPlanes(codes, this.bits, this.cells);
      let sum = 0;
      this.value = Float64Array.from(values, this.exact ? (step) => (sum += step) / this.scale : Number);
      this.classOfCode = new Uint8Array(this.unknown + 1).fill(UNKNOWN);
      this.classes.forEach((_, i) => this.classOfCode.fill(i, this.first[i], this.first[i + 1]));
      return this;
    }
    classOf(value) {
      if (Number.isNaN(value)) return UNKNOWN;
      if (this.categories) return value;
      let k = 0;
      while (k < this.edges.length && value >= this.edges[k]) k++;
      return k;
    }
    /** Value of one drawn cell: its own, or what stands for a group (mean, sum, max, mode). */
    valueAt(level, k, how) {
      if (!level.first) return this.code[k] === this.unknown ? NaN : this.value[this.code[k]];
      let sum = 0, known = 0, most = -Infinity;
      const counts = this.categories ? new Uint32Array(this.classes.length) : null;
      for (let i = level.first[k]; i < level.first[k + 1]; i++) {
        if (this.code[i] === this.unknown) continue;
        const value = this.value[this.code[i]];
        known++; sum += value; if (value > most) most = value; if (counts) counts[value]++;
      }
      if (!known) return NaN;
      if (how === 'max') return most;
      if (counts) return counts.indexOf(Math.max(...counts));
      return how === 'sum' ? sum : sum / known;
    }
    classesAt(level, how) {
      const key = level.resolution + how;
      if (!this.cache.has(key)) {
        const out = new Uint8Array(level.codes.length);
        if (!level.first) for (let k = 0; k < out.length; k++) out[k] = this.classOfCode[this.code[k]];
        else for (let k = 0; k < out.length; k++) out[k] = this.classOf(this.valueAt(level, k, how));
        this.cache.set(key, out);
      }
      return this.cache.get(key);
    }
  }

  class Store {
    constructor(head) {
      this.head = head; this.levels = new Map();
      this.measures = head.measures.map((measure) => new Measure(measure, head.cells));
    }
    async open() {
      this.codes = P.codesOfRuns(await P.blob(this.head.ids), this.head.cells);
      await Promise.all(this.measures.map((measure) => measure.load()));
      this.texts = await Promise.all(this.head.texts.map(async (text) => {
        const [low, high, words] = await Promise.all([P.blob(text.low), P.blob(text.high), P.unpackJson(text.words)]);
        const code = P.codesOfPlanes(low, 16, this.head.cells);
        return { label: text.label, reason: text.reason, at: (k) => words[code[k] + high[k] * 65536] };
      }));
      return this;
    }
    level(resolution) {
      if (!this.levels.has(resolution)) {
        let codes = this.codes, first = null;
        if (resolution < this.head.resolution) {
          const size = Math.pow(7, this.head.resolution - resolution), parents = [], starts = [];
          for (let i = 0, last = -1; i < codes.length; i++) { const p = Math.floor(codes[i] / size); if (p !== last) { parents.push(p); starts.push(i); last = p; } }
          starts.push(codes.length);
          codes = Float64Array.from(parents); first = Uint32Array.from(starts);
        }
        this.levels.set(resolution, Object.assign({ resolution, codes, first }, geometry(codes, resolution)));
      }
      return this.levels.get(resolution);
    }
  }

  /* ---- drawing ---- */
  function wordOf(colour) {
    const n = parseInt(colour.slice(1), 16);
    return (255 << 24 | (n & 255) << 16 | (n & 0xff00) | n >> 16) >>> 0;
  }

  const STRIPE = [0xfff3f5f6, 0xffbdb6ae]; // ABGR: near white, palettes.MISSING

  /** Fill hexagons row by row into pixels: no seams, whatever their size. */
  function fillPixels(pixels, width, height, view, level, klass, paint) {
    const { words, draws, stripe, least } = paint;
    const { scale, left, top } = view;
    for (const group of level.groups) {
      if (group.box[2] * scale < left || group.box[0] * scale > left + width || group.box[3] * scale < top || group.box[1] * scale > top + height) continue;
      const r = Math.max(group.radius * scale, least);
      const grow = r / group.radius * (1 + 0.45 / Math.max(0.6, r)), corner = group.shape.map((v) => v * grow);
      let low = Infinity, high = -Infinity;
      for (let v = 1; v < 12; v += 2) { low = Math.min(low, corner[v]); high = Math.max(high, corner[v]); }
      for (let k = group.from; k < group.to; k++) {
        const c = klass[k];
        if (!draws(c)) continue;
        const cx = level.x[k] * scale - left, cy = level.y[k] * scale - top;
        if (cx < -r || cx > width + r || cy < -r || cy > height + r) continue;
        const last = Math.min(height, Math.ceil(cy + high - 0.5));
        for (let row = Math.max(0, Math.ceil(cy + low - 0.5)); row < last; row++) {
          const dy = row + 0.5 - cy;
          let xa = Infinity, xb = -Infinity;
          for (let v = 0; v < 12; v += 2) {
            const w = (v + 2) % 12, y0 = corner[v + 1], y1 = corner[w + 1];
            if ((y0 <= dy) !== (y1 <= dy)) { const x = corner[v] + (dy - y0) * (corner[w] - corner[v]) / (y1 - y0); if (x < xa) xa = x; if (x > xb) xb = x; }
          }
          const from = Math.max(0, Math.ceil(cx + xa - 0.5)), to = Math.min(width, Math.ceil(cx + xb - 0.5));
          if (to <= from) continue;
          if (c !== UNKNOWN) pixels.fill(words[c], row * width + from, row * width + to);
          else for (let i = from; i < to; i++) pixels[row * width + i] = STRIPE[((i + row) / stripe | 0) % 3 === 0 ? 1 : 0];
        }
      }
    }
  }

  function stripes(pen, size) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = size * 3;
    const image = new ImageData(tile.width, tile.width), pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = STRIPE[((i % tile.width + (i / tile.width | 0)) / size | 0) % 3 === 0 ? 1 : 0];
    tile.getContext('2d').putImageData(image, 0, 0);
    return pen.createPattern(tile, 'repeat');
  }

  /** Draw hexagons as paths with a thin white edge, when they are large enough to be seen one by one. */
  function drawPaths(pen, width, height, view, level, klass, measure, hidden, ratio) {
    const { scale, left, top } = view, paths = new Map();
    for (const group of level.groups) {
      if (group.box[2] * scale < left || group.box[0] * scale > left + width || group.box[3] * scale < top || group.box[1] * scale > top + height) continue;
      const r = group.radius * scale, s = group.shape;
      for (let k = group.from; k < group.to; k++) {
        if (hidden.has(klass[k])) continue;
        const cx = level.x[k] * scale - left, cy = level.y[k] * scale - top;
        if (cx < -r || cx > width + r || cy < -r || cy > height + r) continue;
        if (!paths.has(klass[k])) paths.set(klass[k], new Path2D());
        const path = paths.get(klass[k]);
        path.moveTo(cx + s[0] * scale, cy + s[1] * scale);
        for (let v = 2; v < 12; v += 2) path.lineTo(cx + s[v] * scale, cy + s[v + 1] * scale);
        path.closePath();
      }
    }
    for (const [c, path] of paths) {
      pen.fillStyle = c === UNKNOWN ? stripes(pen, 2 * ratio) : measure.classes[c].colour;
      pen.fill(path);
      pen.strokeStyle = 'rgba(255,255,255,.55)';
      pen.lineWidth = 0.8 * ratio;
      pen.stroke(path);
    }
  }

  const CellLayer = L.Renderer.extend({
    options: { padding: 0.35, pane: 'poc-cells' },
    initialize(head) {
      L.Renderer.prototype.initialize.call(this, {});
      this.store = new Store(head); this.shown = 0; this.hidden = new Set(); this.overview = 'typical';
      this.ready = this.store.open().then(() => { this.open = true; this.redraw(); });
    },
    _initContainer() { this._container = document.createElement('canvas'); this._pen = this._container.getContext('2d'); },
    _destroyContainer() { L.DomUtil.remove(this._container); delete this._container; delete this._pen; },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize(), ratio = Math.min(2, window.devicePixelRatio || 1), canvas = this._container;
      L.DomUtil.setPosition(canvas, this._bounds.min);
      canvas.width = size.x * ratio; canvas.height = size.y * ratio;
      canvas.style.width = size.x + 'px'; canvas.style.height = size.y + 'px';
      this.redraw();
    },
    measure() { return this.store.measures[this.shown]; },
    how() { return this.overview === 'highest' || this.measure().group === 'max' ? 'max' : 'mean'; },
    /** Width of a cell on the screen, CSS pixels. */
    widthPx(resolution) {
      const metres = Math.sqrt(3) * h3.getHexagonEdgeLengthAvg(resolution, 'm');
      return metres * 256 * Math.pow(2, this._map.getZoom()) / (40075017 * Math.cos(this._map.getCenter().lat * RAD));
    },
    drawnResolution() {
      let resolution = this.store.head.resolution;
      if (this.overview === 'every cell') return resolution;
      while (resolution > 1 && this.widthPx(resolution) < SMALLEST_PX) resolution--;
      return resolution;
    },
    redraw() {
      if (!this._map || !this.open || !this._container) return;
      const started = performance.now(), canvas = this._container, pen = this._pen, ratio = canvas.width / this._bounds.getSize().x;
      const resolution = this.drawnResolution(), level = this.store.level(resolution), measure = this.measure();
      const klass = measure.classesAt(level, this.how());
      const corner = this._bounds.min.add(this._map.getPixelOrigin());
      const view = { scale: 256 * Math.pow(2, this._map.getZoom()) * ratio, left: corner.x * ratio, top: corner.y * ratio };
      if (this.widthPx(resolution) < OUTLINED_PX) {
        const image = pen.createImageData(canvas.width, canvas.height);
        const words = measure.classes.map((c) => wordOf(c.colour)), loud = new Set(measure.loud), pixels = new Uint32Array(image.data.buffer);
        const passes = [{ draws: (c) => !loud.has(c) && !this.hidden.has(c), least: 0 }, { draws: (c) => loud.has(c) && !this.hidden.has(c), least: LOUD_PX / 2 * ratio }];
        for (const pass of loud.size ? passes : passes.slice(0, 1)) fillPixels(pixels, canvas.width, canvas.height, view, level, klass, Object.assign({ words, stripe: 2 * ratio }, pass));
        pen.putImageData(image, 0, 0);
      } else {
        pen.clearRect(0, 0, canvas.width, canvas.height);
        drawPaths(pen, canvas.width, canvas.height, view, level, klass, measure, this.hidden, ratio);
      }
      this.drawMs = performance.now() - started;
      this.fire('drawn');
    },
    show(index) { this.shown = index; this.hidden.clear(); this.redraw(); },
    setOverview(word) { this.overview = word; this.redraw(); },
    toggle(klass) { if (!this.hidden.delete(klass)) this.hidden.add(klass); this.redraw(); },
    /** The drawn cell under a point, or null. */
    pick(latlng) {
      if (!this.open || !this._map) return null;
      const resolution = this.drawnResolution(), level = this.store.level(resolution);
      const lon = ((latlng.lng + 180) % 360 + 360) % 360 - 180, cell = h3.latLngToCell(latlng.lat, lon, resolution), code = P.codeOfCell(cell, resolution);
      for (let a = 0, b = level.codes.length - 1; a <= b;) {
        const k = (a + b) >> 1;
        if (level.codes[k] === code) return { k, cell, level, cells: level.first ? level.first[k + 1] - level.first[k] : 1 };
        if (level.codes[k] < code) a = k + 1; else b = k - 1;
      }
      return null;
    }
  });

  const layers = new Map();
  /** A layer of the cells kept under a name; maps of one page share what is decoded. */
  P.cells = function (name) {
    const layer = new CellLayer(P.json(name));
    if (layers.has(name)) { layer.store = layers.get(name).store; layer.ready = layers.get(name).ready.then(() => { layer.open = true; layer.redraw(); }); }
    layers.set(name, layer);
    return layer;
  };
})();
