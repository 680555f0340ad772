/* pocgeo-cells.js: the coloured layer, drawn on one canvas: H3 cells, from afar the groups (parents) that
   stand for them, or areas. The same layer can be shown on two sides of a swipe or on two maps. */
(function () {
  'use strict';
  const P = window.pocgeo, UNKNOWN = P.UNKNOWN, RAD = Math.PI / 180;
  const SMALLEST_PX = 2.5, OUTLINED_PX = 14, LOUD_PX = 10;

  function wordOf(colour) {
    const n = parseInt(colour.slice(1), 16);
    return (255 << 24 | (n & 255) << 16 | (n & 0xff00) | n >> 16) >>> 0;
  }

  const isDark = (colour) => { const n = parseInt(colour.slice(1), 16); return 0.3 * (n >> 16) + 0.59 * (n >> 8 & 255) + 0.11 * (n & 255) < 128; };
  const STRIPE = [0xfff3f5f6, 0xffbdb6ae]; // ABGR: near white, palettes.MISSING
  const INK = '#1b1b1b', CHALK = '#f4f4f4';

  /** Fill hexagons row by row into pixels: no seams, whatever their size. */
  function fillPixels(pixels, width, height, view, level, klass, paint) {
    const { words, lines, hatched, draws, stripe, least } = paint;
    const { scale, left, top } = view, gap = 3 * stripe;
    for (const group of level.groups) {
      if (group.box[2] * scale < left || group.box[0] * scale > left + width || group.box[3] * scale < top || group.box[1] * scale > top + height) continue;
      const r = Math.max(group.radius * scale, least);
      const grow = r / group.radius * (1 + 0.45 / Math.max(0.6, r)), corner = group.shape.map((v) => v * grow);
      let low = Infinity, high = -Infinity;
      for (let v = 1; v < 12; v += 2) { low = Math.min(low, corner[v]); high = Math.max(high, corner[v]); }
      for (let k = group.from; k < group.to; k++) {
        const c = klass[k];
        if (!draws[c]) continue;
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
          if (c === UNKNOWN) for (let i = from; i < to; i++) pixels[row * width + i] = STRIPE[((i + row) / stripe | 0) % 3 === 0 ? 1 : 0];
          else pixels.fill(words[c], row * width + from, row * width + to);
          if (hatched && hatched[k]) for (let i = from + ((row - from) % gap + gap) % gap; i < to; i += gap) { pixels[row * width + i] = lines[c]; if (stripe > 2 && i + 1 < to) pixels[row * width + i + 1] = lines[c]; }
        }
      }
    }
  }

  function tiled(pen, size, colour) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = size;
    const image = new ImageData(size, size), pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = colour(i % size, i / size | 0);
    tile.getContext('2d').putImageData(image, 0, 0);
    return pen.createPattern(tile, 'repeat');
  }

  const stripes = (pen, width) => tiled(pen, 3 * width, (x, y) => STRIPE[((x + y) / width | 0) % 3 === 0 ? 1 : 0]);
  const hatching = (pen, ratio, colour) => tiled(pen, 6 * ratio, (x, y) => (((x - y) % (6 * ratio) + 6 * ratio) % (6 * ratio) < ratio ? wordOf(colour) : 0));

  /** Fill one path per class, hatch what is hatched, and draw the edges. */
  function paintPaths(pen, paths, hatches, measure, ratio, edge) {
    for (const [c, path] of paths) {
      pen.fillStyle = c === UNKNOWN ? stripes(pen, 2 * ratio) : measure.classes[c].colour;
      pen.fill(path, 'evenodd');
      if (hatches.has(c)) { pen.fillStyle = hatching(pen, ratio, c !== UNKNOWN && isDark(measure.classes[c].colour) ? CHALK : INK); pen.fill(hatches.get(c), 'evenodd'); }
      pen.strokeStyle = edge;
      pen.lineWidth = 0.8 * ratio;
      pen.stroke(path);
    }
  }

  const into = (paths, klass) => { if (!paths.has(klass)) paths.set(klass, new Path2D()); return paths.get(klass); };

  /** Hexagons as paths, when they are large enough to be seen one by one. */
  function cellPaths(width, height, view, level, klass, hidden, hatched) {
    const { scale, left, top } = view, paths = new Map(), hatches = new Map();
    for (const group of level.groups) {
      if (group.box[2] * scale < left || group.box[0] * scale > left + width || group.box[3] * scale < top || group.box[1] * scale > top + height) continue;
      const r = group.radius * scale, s = group.shape;
      for (let k = group.from; k < group.to; k++) {
        if (hidden.has(klass[k])) continue;
        const cx = level.x[k] * scale - left, cy = level.y[k] * scale - top;
        if (cx < -r || cx > width + r || cy < -r || cy > height + r) continue;
        for (const path of hatched && hatched[k] ? [into(paths, klass[k]), into(hatches, klass[k])] : [into(paths, klass[k])]) {
          path.moveTo(cx + s[0] * scale, cy + s[1] * scale);
          for (let v = 2; v < 12; v += 2) path.lineTo(cx + s[v] * scale, cy + s[v + 1] * scale);
          path.closePath();
        }
      }
    }
    return [paths, hatches];
  }

  const PaintLayer = P.Canvas.extend({
    options: { pane: 'poc-cells' },
    initialize(store, options) {
      L.Renderer.prototype.initialize.call(this, {});
      this.store = store; this.shown = options.shown || 0; this.side = options.side || '';
      this.hidden = new Set(); this.overview = 'typical'; this.period = store.head.start;
      this.ready = store.opening.then(() => this.measure().load(this.period)).then(() => { this.open = true; this.redraw(); });
    },
    /** Show only what is left (or right) of a distance from the left of the map, CSS pixels. */
    clip(x) {
      if (!this._container || !this._map) return;
      const at = this._map.containerPointToLayerPoint([x, 0]).x - this._bounds.min.x;
      this._container.style.clipPath = this.side === 'left' ? `inset(0 ${this._bounds.getSize().x - at}px 0 0)` : `inset(0 0 0 ${at}px)`;
    },
    measure() { return this.store.measures[this.shown]; },
    how() { return this.overview === 'highest' || this.measure().group === 'max' ? 'max' : 'mean'; },
    redraw() {
      if (!this._map || !this.open || !this._container || !this.measure().opened(this.period)) return;
      const started = performance.now(), canvas = this._container, ratio = canvas.width / this._bounds.getSize().x;
      const corner = this._bounds.min.add(this._map.getPixelOrigin());
      this.paint(this._pen, canvas.width, canvas.height, { scale: 256 * Math.pow(2, this._map.getZoom()) * ratio, left: corner.x * ratio, top: corner.y * ratio }, ratio);
      this.drawMs = performance.now() - started;
      this.fire('drawn');
    },
    show(index) { this.shown = index; this.hidden.clear(); return this.measure().open(this.period).then(() => this.redraw()); },
    setPeriod(period) {
      this.period = period;
      return this.store.rest.then(() => Promise.all(this.store.measures.map((measure) => measure.open(period)))).then(() => { if (this.period === period) this.redraw(); });
    },
    setOverview(word) { this.overview = word; this.redraw(); },
    toggle(klass) { if (!this.hidden.delete(klass)) this.hidden.add(klass); this.redraw(); }
  });

  const CellLayer = PaintLayer.extend({
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
    paint(pen, width, height, view, ratio) {
      const resolution = this.drawnResolution(), level = this.store.level(resolution), measure = this.measure();
      const klass = measure.classesAt(level, this.how(), this.period), hatched = this.store.hatchAt(level);
      if (this.widthPx(resolution) < OUTLINED_PX) {
        const image = pen.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
        const words = measure.classes.map((c) => wordOf(c.colour)), lines = measure.classes.map((c) => wordOf(isDark(c.colour) ? CHALK : INK));
        lines[UNKNOWN] = wordOf(INK);
        for (const loud of measure.loud.length ? [false, true] : [false]) {
          const draws = new Uint8Array(256);
          for (let c = 0; c < 256; c++) draws[c] = !this.hidden.has(c) && measure.loud.includes(c) === loud ? 1 : 0;
          fillPixels(pixels, width, height, view, level, klass, { words, lines, hatched, draws, stripe: 2 * ratio, least: loud ? LOUD_PX / 2 * ratio : 0 });
        }
        pen.putImageData(image, 0, 0);
      } else {
        pen.clearRect(0, 0, width, height);
        paintPaths(pen, ...cellPaths(width, height, view, level, klass, this.hidden, hatched), measure, ratio, 'rgba(255,255,255,.55)');
      }
    },
    /** The drawn cell under a point, or null. */
    pick(latlng) {
      if (!this.open || !this._map) return null;
      const resolution = this.drawnResolution(), level = this.store.level(resolution);
      const lon = ((latlng.lng + 180) % 360 + 360) % 360 - 180, cell = h3.latLngToCell(latlng.lat, lon, resolution), code = P.codeOfCell(cell, resolution);
      for (let a = 0, b = level.codes.length - 1; a <= b;) {
        const k = (a + b) >> 1;
        if (level.codes[k] === code) return this.found(k, cell, level);
        if (level.codes[k] < code) a = k + 1; else b = k - 1;
      }
      return null;
    },
    found(k, cell, level) {
      const cells = level.first ? level.first[k + 1] - level.first[k] : 1, [lat, lon] = h3.cellToLatLng(cell);
      return {
        k, cell, level, cells, key: cell, outline: h3.cellToBoundary(cell), copy: `${cell} ${P.mgrs(lat, lon, 4)}`, foot: `H3 ${cell}`,
        title: cells === 1 ? P.mgrs(lat, lon, 3) : P.say('group_of', { cells: P.number(cells) }), hatched: Boolean(this.store.hatched && this.store.hatchAt(level)[k])
      };
    },
    prepare() { const own = this.store.head.resolution, now = this.drawnResolution(); this.store.prepare([now, now + 1, own, now + 2, now - 1].filter((r) => r > 0 && r <= own)); }
  });

  const AreaLayer = PaintLayer.extend({
    shapes() {
      const { store } = this;
      if (!store.shapes) {
        store.shapes = P.features(store.geometry).map((parts) => {
          const rings = parts.flat(), flat = rings.map((ring) => Float64Array.from(ring.flatMap(([lat, lon]) => [P.mercatorX(lon), P.mercatorY(lat)])));
          const box = [Infinity, Infinity, -Infinity, -Infinity];
          for (const ring of flat) for (let i = 0; i < ring.length; i += 2) { box[0] = Math.min(box[0], ring[i]); box[1] = Math.min(box[1], ring[i + 1]); box[2] = Math.max(box[2], ring[i]); box[3] = Math.max(box[3], ring[i + 1]); }
          return { rings: flat, box, outline: parts };
        });
        store.all = { resolution: 0, codes: store.codes, first: null };
      }
      return store.shapes;
    },
    drawnResolution() { return 0; },
    widthPx() { return Infinity; },
    paint(pen, width, height, { scale, left, top }, ratio) {
      const shapes = this.shapes(), measure = this.measure(), klass = measure.classesAt(this.store.all, 'mean', this.period), hatched = this.store.hatched;
      const paths = new Map(), hatches = new Map();
      pen.clearRect(0, 0, width, height);
      shapes.forEach(({ rings, box }, k) => {
        if (this.hidden.has(klass[k]) || box[2] * scale < left || box[0] * scale > left + width || box[3] * scale < top || box[1] * scale > top + height) return;
        for (const path of hatched && hatched[k] ? [into(paths, klass[k]), into(hatches, klass[k])] : [into(paths, klass[k])]) {
          for (const ring of rings) { for (let i = 0; i < ring.length; i += 2) path[i ? 'lineTo' : 'moveTo'](ring[i] * scale - left, ring[i + 1] * scale - top); path.closePath(); }
        }
      });
      paintPaths(pen, paths, hatches, measure, ratio, 'rgba(60,70,80,.75)');
    },
    /** The area under a point, or null: even-odd over its rings. */
    pick(latlng) {
      if (!this.open || !this._map) return null;
      const x = P.mercatorX(latlng.lng), y = P.mercatorY(latlng.lat), shapes = this.shapes();
      const k = shapes.findIndex(({ rings, box }) => {
        if (x < box[0] || x > box[2] || y < box[1] || y > box[3]) return false;
        let inside = false;
        for (const r of rings) for (let i = 0, j = r.length - 2; i < r.length; j = i, i += 2) if ((r[i + 1] > y) !== (r[j + 1] > y) && x < (r[j] - r[i]) * (y - r[i + 1]) / (r[j + 1] - r[i + 1]) + r[i]) inside = !inside;
        return inside;
      });
      if (k < 0) return null;
      const title = this.store.titles[k] || P.say('area');
      return { k, level: this.store.all, cells: 1, key: `area ${k}`, outline: shapes[k].outline, copy: title, title, foot: '', hatched: Boolean(this.store.hatched && this.store.hatched[k]) };
    },
    prepare() {}
  });

  const stores = new Map();
  /** A layer of the cells or areas kept under a name; all layers of one page share what is decoded. */
  P.cells = function (name, options) {
    if (!stores.has(name)) { const store = new P.Store(P.json(name)); store.opening = store.open((options || {}).shown || 0); stores.set(name, store); }
    const store = stores.get(name);
    return new (store.head.kind === 'areas' ? AreaLayer : CellLayer)(store, options || {});
  };
})();
