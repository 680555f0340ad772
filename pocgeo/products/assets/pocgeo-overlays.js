/* pocgeo-overlays.js: points, lines and areas over the cells, and their labels. Every text reaches the page
   as textContent or on a canvas. Styles come from styles.py, classes and ages from overlays.py. */
(function () {
  'use strict';
  const P = window.pocgeo, LISTED = 6, MOST_LABELS = 400, URGENT = 5, CROWDED = 0.06, FAR = 0.6, FIRST = 2;

  /** Features of a packed layer as nested lists of [lat, lon]: feature > part > ring > point. */
  function features(data) {
    let x = 0, y = 0, at = 0, ring = 0, part = 0;
    return data.parts.map((parts) => Array.from({ length: parts }, () =>
      Array.from({ length: data.rings[part++] }, () =>
        Array.from({ length: data.points[ring++] }, () => {
          x += data.xy[at++]; y += data.xy[at++];
          return [y / data.perDegree, x / data.perDegree];
        }))));
  }

  const word = (column, i) => (column ? column.words[column.at[i]] : '');

  /* ---- labels: one canvas a map, the important first, none over another or over the edge ---- */
  class Labels {
    constructor(map) {
      this.sources = new Set();
      this.layer = new P.Overlay((pen, on, size) => this.draw(pen, on, size), 'poc-labels').addTo(map);
    }
    set(source, shown) { if (shown) this.sources.add(source); else this.sources.delete(source); this.layer.redraw(); }
    draw(pen, map, size) {
      const taken = [[0, 0, 60, 150]], soft = [], hits = (held, box) => held.some((o) => box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1]);
      const marks = [...this.sources].flatMap((source) => source.marks(map, size)).filter((mark) => mark.x > -40 && mark.y > -40 && mark.x < size.x + 40 && mark.y < size.y + 40);
      for (const { x, y, half, gives } of marks) if (half) (gives ? soft : taken).push([x - half[0], y - half[1], x + half[0], y + half[1]]);
      marks.sort((a, b) => a.priority - b.priority);
      const once = new Set();
      let written = 0;
      for (const mark of marks) {
        if (!mark.text || written >= MOST_LABELS || once.has(mark.once)) continue;
        const { x, y, half } = mark;
        pen.font = `${mark.weight} ${mark.size}px system-ui,"Segoe UI","Noto Sans",sans-serif`;
        pen.letterSpacing = mark.spaced ? '0.06em' : '0px';
        const width = pen.measureText(mark.text).width, tall = mark.size, gap = half ? half[0] + 3 : 0, drop = half ? half[1] + tall : tall / 3;
        const beside = (more) => [[x + gap + more, y + tall / 3], [x - gap - width - more, y + tall / 3], [x - width / 2, y + drop + more], [x - width / 2, y - half[1] - 4 - more]];
        // A capital under a symbol is still named: a little farther off.
        const tries = !half ? [[x - width / 2, y + drop]] : mark.priority > FIRST ? beside(0) : [0, 10, 20].flatMap(beside);
        // Round the circles of crowded points where there is room; over them only what must be said.
        const places = (mark.priority > URGENT ? [true] : [true, false]).flatMap((round) => tries.map(([left, base]) => [left, base, round]));
        for (const [left, base, round] of places) {
          const box = [left - 2, base - tall, left + width + 2, base + 4];
          if (box[0] < 4 || box[1] < 18 || box[2] > size.x - 40 || box[3] > size.y - 36 || hits(taken, box) || (round && hits(soft, box))) continue;
          taken.push(box);
          written++;
          if (mark.once) once.add(mark.once);
          pen.textAlign = 'left';
          P.haloed(pen, mark.text, left, base, mark.colour, 3.4);
          break;
        }
      }
    }
  }

  const RANKS = [
    { radius: 4.6, size: 14, weight: 700, priority: 2 }, { radius: 3.8, size: 12.5, weight: 600, priority: 5 },
    { radius: 2.6, size: 11.5, weight: 500, priority: 6 }, { radius: 1.8, size: 11, weight: 450, priority: 7 }];

  const OverlayLayer = L.LayerGroup.extend({
    initialize(name) {
      L.LayerGroup.prototype.initialize.call(this);
      this.head = P.json(name); this.named = []; this.member = null;
      this.ready = P.unpackJson(this.head.data).then((data) => { this.data = data; });
    },
    onAdd(map) { L.LayerGroup.prototype.onAdd.call(this, map); this.shown(map, true); },
    onRemove(map) { L.LayerGroup.prototype.onRemove.call(this, map); this.shown(map, false); },
    shown(map, yes) {
      if (this.member) { if (yes) this.sheet.add(this.member); else this.sheet.drop(this.member); }
      if (map.pocLabels && this.data) map.pocLabels.set(this, yes);
    },
    /** Whether symbols of full size would cover the map as it opens. */
    crowds(map) { const size = P.SYMBOLS[this.head.style.symbol]; return Boolean(size) && this.data.parts.length * size[0] * size[1] > CROWDED * map.pocWhole; },
    /** Make the features; called once, in the order of the map's layers. */
    build(map, order) {
      const { style } = this.head, { data } = this, draw = style.draw;
      this.crowded = this.crowds(map);
      if (draw === 'line' || draw === 'dot' || draw === 'place') {
        this.sheet = style.beneath ? beneath(map) : draw === 'line' ? map.pocThread : map.pocSpots;
        this.member = draw === 'line' ? this.lines(order) : draw === 'dot' ? this.dots(order) : new P.Places(data, order, RANKS, (i) => this.rank(i));
        if (style.hover) this.member.explain = (hit) => this.explained(hit.feature, hit.many);
        if (data.fills) this.fills(map, data.fills);
        if (style.label && data.labels && draw === 'line') features(data).forEach((parts, i) => this.label(map, style, middleOf(parts), i));
      } else {
        features(data).forEach((parts, i) => {
          const own = Object.assign({}, style, (style.kinds || {})[word(data.kinds, i)]);
          const layer = draw === 'symbol' ? this.symbol(own, parts, i, order) : this.area(map, own, parts);
          if (style.hover) map.pocTip.attach(layer, () => this.explained(i));
          this.addLayer(layer);
          this.label(map, own, draw === 'symbol' ? layer.getLatLng() : middleOf(parts), i);
        });
      }
      if (map.hasLayer(this)) this.shown(map, true);
    },
    /** The areas of a layer of lines: lakes over the cells, neighbours beneath the land. */
    fills(map, data) {
      const { style } = this.head, fills = style.fills, renderer = style.beneath ? map.pocFarLand : map.pocWater;
      features(data).forEach((parts, i) => {
        const own = Object.assign({}, fills, (fills.kinds || {})[data.kinds[i]]);
        if (parts.length) this.addLayer(L.polygon(parts, { renderer, interactive: false, stroke: false, smoothFactor: 1, fillColor: own.fill, fillOpacity: own.opacity }));
      });
      for (const [i, lon, lat] of data.named) this.named.push(Object.assign({ latlng: L.latLng(lat, lon), text: data.names[i], half: null, once: `${style.beneath ? 0 : 1}/${i}` }, fills.label));
    },
    /** Looks of the layer: one for each class, or for each kind, or one; and which a feature has. */
    looks() {
      const { style } = this.head, { classes, kinds } = this.data;
      if (classes) return [classes.of.map((c) => Object.assign({}, style, { colour: style.draw === 'dot' ? style.colour : c.colour, fill: c.colour, casing: style.draw === 'line' })), (i) => classes.at[i]];
      if (!kinds || !style.kinds) return [[style], () => 0];
      return [kinds.words.map((kind) => Object.assign({}, style, style.kinds[kind])), (i) => kinds.at[i]];
    },
    lines(order) { const [looks, lookOf] = this.looks(); return new P.Lines(this.data, order, looks, lookOf, this.head.style.arrow); },
    dots(order) { const [looks, lookOf] = this.looks(); return new P.Dots(this.data, order, looks, lookOf, this.head.style.cluster); },
    rank(i) { const own = (this.head.style.kinds || {})[word(this.data.kinds, i)]; return own ? own.rank : 2; },
    symbol(style, parts, i, order) {
      const [width, height] = P.SYMBOLS[style.symbol];
      return L.marker(parts[0][0][0], { pane: 'poc-symbols', keyboard: false, zIndexOffset: 10000 * order, icon: L.divIcon({ html: P.symbol(style.symbol, word(this.data.kinds, i), style.status), className: 'poc-symbol' + (this.crowded ? ' poc-many' : ''), iconSize: [width, height] }) });
    },
    area(map, style, parts) {
      return L.polygon(parts, {
        renderer: style.hover ? map.pocMarks : map.pocAreas, interactive: Boolean(style.hover), color: style.colour, weight: style.weight,
        dashArray: style.dash, smoothFactor: 1, fill: Boolean(style.fill), fillColor: style.fill, fillOpacity: style.opacity });
    },
    label(map, style, latlng, i) {
      const symbol = P.SYMBOLS[style.symbol], text = word(this.data.labels, i);
      if (!latlng || (!symbol && !(text && style.label))) return;
      const look = Object.assign({ size: 11, weight: 600, priority: 5, colour: '#16202b' }, style.label);
      this.named.push(Object.assign({ latlng, text, half: symbol ? [symbol[0] / 2, symbol[1] / 2] : null }, look));
    },
    /** What the labels must go round, and what they say, in pixels of the map. */
    marks(map, size) {
      if (this.member instanceof P.Places) {
        const scale = 256 * Math.pow(2, map.getZoom()), corner = map.getPixelBounds().min, out = [];
        this.member.inView({ scale, left: corner.x, top: corner.y, width: size.x, height: size.y, zoom: map.getZoom() }, (r, x, y) => {
          const rank = RANKS[this.member.rank[r]];
          out.push(Object.assign({ x, y, half: [rank.radius + 1, rank.radius + 1], text: word(this.data.labels, this.member.rings.feature[r]), colour: '#16202b' }, rank));
        });
        return out;
      }
      if (this.member instanceof P.Dots && this.member.cluster) {
        const scale = 256 * Math.pow(2, map.getZoom()), corner = map.getPixelBounds().min;
        return this.member.groups(map.getZoom()).filter((g) => g.points.length > 1).map((g) => { const r = this.member.radius(g.points.length); return { x: g.x * scale - corner.x, y: g.y * scale - corner.y, half: [r, r], text: '', priority: 9, gives: true }; });
      }
      const small = this.crowded && map.getContainer().classList.contains('poc-far') ? FAR : 1;
      return this.named.map((mark) => { const at = map.latLngToContainerPoint(mark.latlng); return Object.assign({}, mark, { x: at.x, y: at.y, gives: small < 1 && mark.priority > FIRST, half: mark.half && [mark.half[0] * small, mark.half[1] * small] }); });
    },
    explained(i, many) {
      const box = P.element('div'), data = this.data, title = many ? P.number(many.length) : word(data.labels, i);
      box.append(P.element('div', 'poc-tip-kind', this.head.name));
      if (title) box.append(P.element('div', 'poc-tip-title', title));
      const list = P.element('table');
      const row = (left, right) => { const made = P.element('tr'); made.append(P.element('td', '', left), P.element('td', '', right)); list.append(made); };
      if (many) for (const each of many.slice(0, LISTED)) row(word(data.facts[0], each), word(data.facts[1], each));
      else {
        for (const fact of data.facts) row(fact.label, word(fact, i));
        if (data.classes) row(this.head.classed, data.classes.of[data.classes.at[i]].label);
      }
      box.append(list);
      if (many) box.append(P.element('div', 'poc-tip-foot', (many.length > LISTED ? P.say('more', { number: P.number(many.length - LISTED) }) + ' · ' : '') + P.say('zoom')));
      return box;
    }
  });

  /** The canvas of lines that lie under the land; made where there are any. */
  function beneath(map) {
    if (!map.pocFarLines) map.pocFarLines = new P.Sheet({ pane: 'poc-far-lines' }).addTo(map);
    return map.pocFarLines;
  }

  /** Middle of the box of the longest ring: good enough for a name. */
  function middleOf(parts) {
    const ring = parts.flat().sort((a, b) => b.length - a.length)[0];
    return ring ? L.latLngBounds(ring).getCenter() : null;
  }

  Object.assign(P, { overlay: (name) => new OverlayLayer(name), features, Labels });
})();
