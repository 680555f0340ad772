/* pocgeo-marks.js: many lines, points and places on one canvas a map. Only what is in view is drawn, and
   the pointer finds what is under it without an object per feature. */
(function () {
  'use strict';
  const P = window.pocgeo;
  const REACH_PX = 6, CLUSTER_PX = 46, PLACE_PX = 30, NEAR_ZOOM = 17, CASED = 400, MANY = 6000;

  const Sheet = P.Canvas.extend({
    initialize(options) { L.Renderer.prototype.initialize.call(this, options); this.members = []; },
    onAdd(map) { L.Renderer.prototype.onAdd.call(this, map); map.on('mousemove', this.pointed, this); map.on('mouseout movestart zoomstart', this.leave, this); map.on('click', this.clicked, this); },
    onRemove(map) { map.off('mousemove', this.pointed, this); map.off('mouseout movestart zoomstart', this.leave, this); map.off('click', this.clicked, this); L.Renderer.prototype.onRemove.call(this, map); },
    add(member) { if (!this.members.includes(member)) { this.members.push(member); this.members.sort((a, b) => a.order - b.order); } this.redraw(); },
    drop(member) { this.members = this.members.filter((other) => other !== member); this.redraw(); },
    scale() { return 256 * Math.pow(2, this._map.getZoom()); },
    redraw() {
      if (!this._map || !this._container || this.waiting) return;
      const canvas = this._container, pen = this._pen, size = this._bounds.getSize(), ratio = canvas.width / size.x, corner = this._bounds.min.add(this._map.getPixelOrigin());
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      const view = { scale: this.scale(), left: corner.x, top: corner.y, width: size.x, height: size.y, ratio, zoom: this._map.getZoom() };
      for (const member of this.members) member.draw(pen, view);
    },
    /** The uppermost feature under a place on the map: [member, hit], or null. */
    at(latlng) {
      const scale = this.scale(), view = { scale, zoom: this._map.getZoom() }, x = P.mercatorX(latlng.lng) * scale, y = P.mercatorY(latlng.lat) * scale;
      for (let i = this.members.length - 1; i >= 0; i--) {
        const member = this.members[i], hit = member.explain ? member.hit(x, y, view) : null;
        if (hit !== null) return [member, hit];
      }
      return null;
    },
    pointed(event) {
      const tip = this._map.pocTip;
      if (tip.held && !this.holding) return;
      const found = this.at(event.latlng);
      if (!found) { this.leave(); return; }
      const key = found[0].order + '/' + found[1].key;
      tip.held = true;
      tip.show(event.latlng, key === this.holding ? null : found[0].explain(found[1]));
      this.holding = key;
    },
    leave() { if (this.holding) { this.holding = ''; this._map.pocTip.held = false; this._map.pocTip.hide(); } },
    clicked(event) {
      const found = this.at(event.latlng);
      if (found && found[1].many) this._map.setView(event.latlng, Math.min(NEAR_ZOOM, this._map.getZoom() + 2));
    }
  });

  /** All rings of packed geometry in Mercator units: coordinates, first point, box and feature of each. */
  function rings(data) {
    const count = data.points.length, starts = new Uint32Array(count + 1), feature = new Uint32Array(count), box = new Float64Array(4 * count);
    const xy = new Float64Array(data.xy.length);
    let lon = 0, lat = 0, at = 0, ring = 0, part = 0;
    data.parts.forEach((parts, i) => {
      for (let p = 0; p < parts; p++, part++) {
        for (let r = 0; r < data.rings[part]; r++, ring++) {
          let w = Infinity, n = Infinity, e = -Infinity, s = -Infinity;
          for (let k = 0; k < data.points[ring]; k++, at += 2) {
            lon += data.xy[at]; lat += data.xy[at + 1];
            const x = P.mercatorX(lon / data.perDegree), y = P.mercatorY(lat / data.perDegree);
            xy[at] = x; xy[at + 1] = y;
            if (x < w) w = x; if (x > e) e = x; if (y < n) n = y; if (y > s) s = y;
          }
          starts[ring + 1] = at >> 1; feature[ring] = i;
          box.set([w, n, e, s], 4 * ring);
        }
      }
    });
    return { count, starts, feature, box, xy };
  }

  /** Lines; `looks` gives each feature one of a few looks (colour, width, dashes). */
  class Lines {
    constructor(data, order, looks, lookOf, arrow) {
      this.order = order; this.looks = looks; this.arrow = arrow; this.rings = rings(data);
      this.byLook = looks.map(() => []);
      for (let r = 0; r < this.rings.count; r++) this.byLook[lookOf(this.rings.feature[r])].push(r);
    }
    seen(ring, view, slack) {
      const b = this.rings.box, i = 4 * ring, { scale, left, top } = view;
      return b[i + 2] * scale >= left - slack && b[i] * scale <= left + view.width + slack && b[i + 3] * scale >= top - slack && b[i + 1] * scale <= top + view.height + slack;
    }
    draw(pen, view) {
      const { xy, starts } = this.rings, { scale, left, top } = view;
      const parts = this.looks.map((look, l) => [look, this.byLook[l].filter((ring) => this.seen(ring, view, 8))]).filter(([, shown]) => shown.length).reverse();
      const segments = parts.reduce((sum, [, shown]) => sum + shown.reduce((n, ring) => n + starts[ring + 1] - starts[ring] - 1, 0), 0);
      if (segments > MANY) { this.dense(pen, parts, view); return; }
      parts.forEach(([look, shown]) => {
        pen.globalAlpha = look.opacity || 0.95;
        pen.setLineDash(look.dash || []);
        pen.lineJoin = 'round'; pen.lineCap = 'butt';
        // A path of its own for each line: without a GPU one path of a hundred thousand pieces takes a second.
        const strokes = look.casing && shown.length < CASED ? [['rgba(255,255,255,.75)', look.weight + 1.6], [look.colour, look.weight]] : [[look.colour, look.weight]];
        for (const [colour, weight] of strokes) {
          pen.strokeStyle = colour; pen.lineWidth = weight;
          for (const ring of shown) {
            let px = xy[2 * starts[ring]] * scale - left, py = xy[2 * starts[ring] + 1] * scale - top;
            pen.beginPath();
            pen.moveTo(px, py);
            for (let k = starts[ring] + 1, last = starts[ring + 1] - 1; k <= last; k++) {
              const x = xy[2 * k] * scale - left, y = xy[2 * k + 1] * scale - top;
              if (k < last && Math.abs(x - px) < 1.5 && Math.abs(y - py) < 1.5) continue;
              pen.lineTo(x, y); px = x; py = y;
            }
            pen.stroke();
          }
        }
        pen.setLineDash([]);
        if (this.arrow) for (const ring of shown) this.head(pen, ring, look, view);
        pen.globalAlpha = 1;
      });
    }
    /* Tens of thousands of pieces are set pixel by pixel: without a GPU that is ten times faster than paths. */
    dense(pen, parts, { scale, left, top, width, height, ratio }) {
      const { xy, starts } = this.rings, w = Math.round(width * ratio), h = Math.round(height * ratio);
      if (!this.sheet) { this.sheet = document.createElement('canvas'); this.sheetPen = this.sheet.getContext('2d'); }
      this.sheet.width = w; this.sheet.height = h;
      const image = this.sheetPen.createImageData(w, h), pixels = new Uint32Array(image.data.buffer), s = scale * ratio, l = left * ratio, t = top * ratio;
      for (const [look, shown] of parts) {
        const n = parseInt(look.colour.slice(1), 16), word = (Math.round(255 * (look.opacity || 0.95)) << 24 | (n & 255) << 16 | (n & 0xff00) | n >> 16) >>> 0, wide = look.weight * ratio >= 1.7;
        for (const ring of shown) {
          let ax = xy[2 * starts[ring]] * s - l, ay = xy[2 * starts[ring] + 1] * s - t;
          for (let k = starts[ring] + 1; k < starts[ring + 1]; k++) {
            const bx = xy[2 * k] * s - l, by = xy[2 * k + 1] * s - t, dx = bx - ax, dy = by - ay, steps = Math.ceil(Math.max(Math.abs(dx), Math.abs(dy)));
            if (steps < 1) continue;
            if (!((ax < 0 && bx < 0) || (ay < 0 && by < 0) || (ax >= w && bx >= w) || (ay >= h && by >= h))) {
              const flat = Math.abs(dx) > Math.abs(dy), ix = dx / steps, iy = dy / steps;
              for (let i = 0, x = ax, y = ay; i <= steps; i++, x += ix, y += iy) {
                if (x < 0 || y < 0 || x >= w - 1 || y >= h - 1) continue;
                const at = (y | 0) * w + (x | 0);
                pixels[at] = word;
                if (wide) pixels[flat ? at + w : at + 1] = word;
              }
            }
            ax = bx; ay = by;
          }
        }
      }
      this.sheetPen.putImageData(image, 0, 0);
      pen.drawImage(this.sheet, 0, 0, width, height);
    }
    head(pen, ring, look, { scale, left, top }) {
      const { xy, starts } = this.rings, end = 2 * (starts[ring + 1] - 1), x = xy[end] * scale - left, y = xy[end + 1] * scale - top;
      let k = end - 2, dx = 0, dy = 0;
      for (; k >= 2 * starts[ring]; k -= 2) { dx = x - (xy[k] * scale - left); dy = y - (xy[k + 1] * scale - top); if (Math.hypot(dx, dy) > 9) break; }
      const length = Math.hypot(dx, dy), size = 5 + 2 * look.weight;
      if (length < 4) return;
      dx /= length; dy /= length;
      pen.beginPath();
      pen.moveTo(x + dx * 1.5, y + dy * 1.5);
      pen.lineTo(x - size * dx - 0.5 * size * dy, y - size * dy + 0.5 * size * dx);
      pen.lineTo(x - size * dx + 0.5 * size * dy, y - size * dy - 0.5 * size * dx);
      pen.closePath();
      pen.fillStyle = look.colour;
      pen.fill();
    }
    hit(x, y, view) {
      const { xy, starts, count, feature, box } = this.rings, { scale } = view;
      let best = REACH_PX, found = -1;
      for (let ring = 0; ring < count; ring++) {
        const b = 4 * ring;
        if (x < box[b] * scale - best || x > box[b + 2] * scale + best || y < box[b + 1] * scale - best || y > box[b + 3] * scale + best) continue;
        for (let k = starts[ring]; k < starts[ring + 1] - 1; k++) {
          const ax = xy[2 * k] * scale - x, ay = xy[2 * k + 1] * scale - y, bx = xy[2 * k + 2] * scale - x, by = xy[2 * k + 3] * scale - y;
          const vx = bx - ax, vy = by - ay, t = Math.max(0, Math.min(1, -(ax * vx + ay * vy) / (vx * vx + vy * vy || 1))), d = Math.hypot(ax + t * vx, ay + t * vy);
          if (d < best) { best = d; found = feature[ring]; }
        }
      }
      return found < 0 ? null : { key: String(found), feature: found };
    }
  }

  /** One picture of a dot, to be stamped. */
  function stamp(radius, fill, stroke, weight) {
    const size = Math.ceil(2 * (radius + weight) + 2), canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
    canvas.width = canvas.height = 2 * size;
    pen.scale(2, 2);
    pen.beginPath(); pen.arc(size / 2, size / 2, radius, 0, 2 * Math.PI);
    pen.fillStyle = fill; pen.fill();
    pen.lineWidth = weight; pen.strokeStyle = stroke; pen.stroke();
    return { canvas, size };
  }

  /** Squares of side `px` that hold points; finds those near a place. */
  class Squares {
    constructor(px) { this.px = px; this.held = new Map(); }
    key(i, j) { return i * 4194304 + j; }
    put(x, y, item) { const key = this.key(Math.floor(x / this.px), Math.floor(y / this.px)); if (this.held.has(key)) this.held.get(key).push(item); else this.held.set(key, [item]); }
    near(x, y, test) {
      const i = Math.floor(x / this.px), j = Math.floor(y / this.px);
      for (let a = i - 1; a <= i + 1; a++) for (let b = j - 1; b <= j + 1; b++) for (const item of this.held.get(this.key(a, b)) || []) if (test(item)) return item;
      return null;
    }
  }

  /** Dots, each by itself or, where they crowd, joined in one circle with their number. */
  class Dots {
    constructor(data, order, looks, lookOf, cluster) {
      this.order = order; this.looks = looks; this.cluster = cluster; this.rings = rings(data); this.cache = new Map();
      this.look = Uint8Array.from({ length: this.rings.count }, (_, r) => lookOf(this.rings.feature[r]));
      this.stamps = looks.map((look) => stamp(look.radius, look.fill, look.colour, look.weight));
    }
    /** What stands for the points at a zoom: [x, y, points], in Mercator units. */
    groups(zoom) {
      const key = Math.round(zoom * 2);
      if (!this.cache.has(key)) {
        const { xy, count } = this.rings, scale = 256 * Math.pow(2, key / 2), squares = new Squares(CLUSTER_PX), out = [];
        for (let r = 0; r < count; r++) {
          const x = xy[2 * r], y = xy[2 * r + 1];
          const home = squares.near(x * scale, y * scale, (g) => Math.hypot(g.x0 - x, g.y0 - y) * scale < CLUSTER_PX);
          if (home) { home.points.push(r); home.x += (x - home.x) / home.points.length; home.y += (y - home.y) / home.points.length; } else {
            const group = { x0: x, y0: y, x, y, points: [r] };
            out.push(group); squares.put(x * scale, y * scale, group);
          }
        }
        this.cache.set(key, out);
      }
      return this.cache.get(key);
    }
    radius(n) { return n === 1 ? this.looks[0].radius : 7 + 1.55 * Math.log2(n); }
    draw(pen, view) {
      const { xy, count } = this.rings, { scale, left, top, width, height } = view;
      const dot = (r) => {
        const x = xy[2 * r] * scale - left, y = xy[2 * r + 1] * scale - top, { canvas, size } = this.stamps[this.look[r]];
        if (x > -9 && y > -9 && x < width + 9 && y < height + 9) pen.drawImage(canvas, x - size / 2, y - size / 2, size, size);
      };
      if (!this.cluster) { for (let r = 0; r < count; r++) dot(r); return; }
      pen.textAlign = 'center'; pen.textBaseline = 'middle';
      for (const group of this.groups(view.zoom)) {
        const n = group.points.length, x = group.x * scale - left, y = group.y * scale - top, radius = this.radius(n);
        if (x < -40 || y < -40 || x > width + 40 || y > height + 40) continue;
        if (n === 1) { dot(group.points[0]); continue; }
        pen.beginPath(); pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.fillStyle = this.looks[0].fill; pen.globalAlpha = 0.84; pen.fill(); pen.globalAlpha = 1;
        pen.lineWidth = 1.6; pen.strokeStyle = '#fff'; pen.stroke();
        pen.fillStyle = '#fff'; pen.font = `700 ${n > 999 ? 9.5 : n > 99 ? 10.5 : 11}px system-ui,"Segoe UI",sans-serif`;
        pen.fillText(n > 9999 ? `${Math.round(n / 1000)}k` : String(n), x, y + 0.5);
      }
      pen.textBaseline = 'alphabetic';
    }
    hit(x, y, view) {
      const { xy, count, feature } = this.rings, { scale } = view, near = (px, py, radius) => Math.hypot(px * scale - x, py * scale - y) <= radius + 2;
      if (this.cluster) {
        const group = this.groups(view.zoom).find((g) => near(g.x, g.y, this.radius(g.points.length)));
        if (!group) return null;
        const members = group.points.map((r) => feature[r]);
        return { key: 'g' + group.points[0] + '/' + members.length, feature: members[0], many: members.length > 1 ? members : null };
      }
      for (let r = count - 1; r >= 0; r--) if (near(xy[2 * r], xy[2 * r + 1], this.looks[this.look[r]].radius)) return { key: String(r), feature: feature[r] };
      return null;
    }
  }

  /** Places: the more important first, the others from the zoom at which there is room for them. */
  class Places {
    constructor(data, order, ranks, rankOf) {
      this.order = order; this.ranks = ranks; this.rings = rings(data);
      this.rank = Uint8Array.from({ length: this.rings.count }, (_, r) => rankOf(this.rings.feature[r]));
      this.stamps = ranks.map((rank) => stamp(rank.radius, '#fff', '#1d2733', 1.5));
      this.byRank = Array.from({ length: this.rings.count }, (_, r) => r).sort((a, b) => this.rank[a] - this.rank[b] || a - b);
      this.from = new Uint8Array(this.rings.count).fill(NEAR_ZOOM);
      const { xy } = this.rings, waiting = new Set(this.byRank), shown = [];
      for (let zoom = 2; zoom < NEAR_ZOOM && waiting.size; zoom++) {
        const scale = 256 * Math.pow(2, zoom), squares = new Squares(PLACE_PX);
        for (const r of shown) squares.put(xy[2 * r] * scale, xy[2 * r + 1] * scale, r);
        for (const r of waiting) {
          const x = xy[2 * r] * scale, y = xy[2 * r + 1] * scale;
          if (squares.near(x, y, (o) => Math.hypot(xy[2 * o] * scale - x, xy[2 * o + 1] * scale - y) < PLACE_PX) !== null) continue;
          squares.put(x, y, r); shown.push(r); waiting.delete(r); this.from[r] = zoom;
        }
      }
    }
    inView(view, act) {
      const { xy } = this.rings, { scale, left, top, width, height } = view;
      for (const r of this.byRank) {
        if (this.from[r] > view.zoom) continue;
        const x = xy[2 * r] * scale - left, y = xy[2 * r + 1] * scale - top;
        if (x > -9 && y > -9 && x < width + 9 && y < height + 9) act(r, x, y);
      }
    }
    draw(pen, view) { this.inView(view, (r, x, y) => { const { canvas, size } = this.stamps[this.rank[r]]; pen.drawImage(canvas, x - size / 2, y - size / 2, size, size); }); }
    hit(x, y, view) {
      const { xy, feature } = this.rings, { scale } = view;
      for (const r of this.byRank) if (this.from[r] <= view.zoom && Math.hypot(xy[2 * r] * scale - x, xy[2 * r + 1] * scale - y) <= this.ranks[this.rank[r]].radius + 3) return { key: String(r), feature: feature[r] };
      return null;
    }
  }

  Object.assign(P, { Sheet, Lines, Dots, Places });
})();
