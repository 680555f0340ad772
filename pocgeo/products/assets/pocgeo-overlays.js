/* pocgeo-overlays.js: points, lines and areas over the cells, their symbols and their labels.
   Every text reaches the page as textContent or on a canvas. Styles come from overlays.py. */
(function () {
  'use strict';
  const P = window.pocgeo, SVG = 'http://www.w3.org/2000/svg';

  function svg(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function svgText(x, y, size, fill, text) {
    const made = svg('text', { x, y, 'font-size': size, 'font-weight': 700, 'text-anchor': 'middle', fill, 'font-family': 'system-ui,"Segoe UI",sans-serif' });
    made.textContent = text;
    return made;
  }

  /* Our own symbols: [width, height, draw(kind)]. A base is a framed box with its kind in it, a
     headquarters stands on a staff; a site is a shelter; an alert network a ringed point. */
  const SYMBOLS = {
    base: [32, 22, (kind) => {
      const parts = [svg('rect', { x: 1.5, y: 2.5, width: 29, height: 15, fill: '#bfe0ff', stroke: '#0b2a45', 'stroke-width': 1.6 })];
      if (kind === 'HQ') parts.push(svg('line', { x1: 1.5, y1: 2, x2: 1.5, y2: 22, stroke: '#0b2a45', 'stroke-width': 1.8 }));
      parts.push(svgText(16, 13.8, 9.5, '#0b2a45', kind === 'other' || !kind ? '•' : kind.slice(0, 4)));
      return parts;
    }],
    site: [22, 20, () => [
      svg('path', { d: 'M11 2 L20.5 18 H1.5 Z', fill: '#ffd58a', stroke: '#6a3d00', 'stroke-width': 1.5, 'stroke-linejoin': 'round' }),
      svg('path', { d: 'M11 10 L14.5 18 H7.5 Z', fill: '#6a3d00' })]],
    alert: [16, 16, () => [
      svg('circle', { cx: 8, cy: 8, r: 6, fill: 'none', stroke: '#0d6b6b', 'stroke-width': 1.6 }),
      svg('circle', { cx: 8, cy: 8, r: 2.6, fill: '#0d6b6b' })]],
    rank: [24, 24, (kind) => [
      svg('circle', { cx: 12, cy: 12, r: 10, fill: '#fff', stroke: '#111', 'stroke-width': 1.8 }),
      svgText(12, 16, 11.5, '#111', kind || '')]]
  };

  function symbol(name, kind) {
    const [width, height, draw] = SYMBOLS[name];
    return svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...draw(kind));
  }

  /** What stands for a layer in the panel. */
  P.swatch = function (style) {
    if (style.draw === 'symbol') return symbol(style.symbol, style.symbol === 'base' ? 'COB' : style.symbol === 'rank' ? '1' : '');
    const out = svg('svg', { width: 28, height: 16, viewBox: '0 0 28 16', 'aria-hidden': 'true' });
    const dash = (style.dash || []).join(' ');
    if (style.draw === 'dot') out.append(svg('circle', { cx: 14, cy: 8, r: 4.5, fill: style.fill, stroke: '#555', 'stroke-width': 0.8 }));
    else if (style.draw === 'place') out.append(svg('circle', { cx: 14, cy: 8, r: 4, fill: '#fff', stroke: '#222', 'stroke-width': 1.6 }));
    else if (style.draw === 'area') out.append(svg('rect', { x: 2, y: 2, width: 24, height: 12, fill: style.fill || 'none', 'fill-opacity': style.fill ? style.opacity : 0, stroke: style.colour, 'stroke-width': style.weight, 'stroke-dasharray': dash }));
    else out.append(svg('line', { x1: 1, y1: 8, x2: 27, y2: 8, stroke: style.colour, 'stroke-width': Math.max(1.4, style.weight), 'stroke-dasharray': dash }));
    return out;
  };

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
      this.sources = new Map();
      this.layer = new P.Overlay((pen, on, size) => this.draw(pen, on, size), 'poc-labels').addTo(map);
    }
    set(source, marks) { if (marks) this.sources.set(source, marks); else this.sources.delete(source); this.layer.redraw(); }
    draw(pen, map, size) {
      const taken = [[0, 0, 60, 150]], free = (box) => !taken.some((o) => box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1]);
      const marks = [...this.sources.values()].flat().map((mark) => Object.assign({ point: map.latLngToContainerPoint(mark.latlng) }, mark))
        .filter((mark) => mark.point.x > -40 && mark.point.y > -40 && mark.point.x < size.x + 40 && mark.point.y < size.y + 40);
      for (const { point, half } of marks) if (half) taken.push([point.x - half[0], point.y - half[1], point.x + half[0], point.y + half[1]]);
      marks.sort((a, b) => a.priority - b.priority);
      for (const mark of marks) {
        if (!mark.text) continue;
        const { point, half } = mark;
        pen.font = `${mark.weight} ${mark.size}px system-ui,"Segoe UI","Noto Sans",sans-serif`;
        pen.letterSpacing = mark.spaced ? '0.06em' : '0px';
        const width = pen.measureText(mark.text).width, tall = mark.size, gap = half ? half[0] + 3 : 0, drop = half ? half[1] + tall : tall / 3;
        const tries = half
          ? [[point.x + gap, point.y + tall / 3], [point.x - gap - width, point.y + tall / 3], [point.x - width / 2, point.y + drop], [point.x - width / 2, point.y - half[1] - 4]]
          : [[point.x - width / 2, point.y + drop]];
        for (const [x, y] of tries) {
          const box = [x - 2, y - tall, x + width + 2, y + 4];
          if (box[0] < 4 || box[1] < 18 || box[2] > size.x - 40 || box[3] > size.y - 36 || !free(box)) continue;
          taken.push(box);
          pen.textAlign = 'left';
          P.haloed(pen, mark.text, x, y, mark.colour, 3.4);
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
      this.head = P.json(name); this.marks = [];
      this.ready = P.unpackJson(this.head.data).then((data) => { this.data = data; });
    },
    onAdd(map) { L.LayerGroup.prototype.onAdd.call(this, map); if (map.pocLabels) map.pocLabels.set(this, this.marks); },
    onRemove(map) { L.LayerGroup.prototype.onRemove.call(this, map); map.pocLabels.set(this, null); },
    /** Make the features; called once, in the order of the map's layers. */
    build(map, order) {
      const style = this.head.style, data = this.data;
      features(data).forEach((parts, i) => {
        const kind = word(data.kinds, i), own = Object.assign({}, style, (style.kinds || {})[kind]);
        const layer = this.feature(map, own, parts, kind, order);
        if (style.hover) map.pocTip.attach(layer, () => this.explained(i));
        this.addLayer(layer);
        this.label(own, layer, word(data.labels, i), parts);
      });
      if (map.hasLayer(this)) map.pocLabels.set(this, this.marks);
    },
    feature(map, style, parts, kind, order) {
      const at = parts.length ? parts[0][0][0] : null;
      if (style.draw === 'symbol') {
        const [width, height] = SYMBOLS[style.symbol];
        return L.marker(at, { pane: 'poc-symbols', keyboard: false, zIndexOffset: 10000 * order, icon: L.divIcon({ html: symbol(style.symbol, kind), className: 'poc-symbol', iconSize: [width, height] }) });
      }
      if (style.draw === 'place') {
        const rank = RANKS[style.rank === undefined ? 2 : style.rank];
        return L.circleMarker(at, { renderer: map.pocMarks, radius: rank.radius, color: '#1d2733', weight: 1.5, fillColor: '#fff', fillOpacity: 1 });
      }
      if (style.draw === 'dot') {
        return L.circleMarker(at, { renderer: map.pocMarks, radius: style.radius, color: style.colour, weight: style.weight, fillColor: style.fill, fillOpacity: style.opacity });
      }
      const options = {
        renderer: style.hover ? map.pocMarks : map.pocLines, interactive: Boolean(style.hover), color: style.colour, weight: style.weight,
        opacity: style.draw === 'line' ? style.opacity || 0.95 : 1, dashArray: style.dash, smoothFactor: 1, fill: Boolean(style.fill), fillColor: style.fill, fillOpacity: style.opacity };
      return style.draw === 'area' ? L.polygon(parts, options) : L.polyline(parts.flat(), options);
    },
    label(style, layer, text, parts) {
      const symbolOf = SYMBOLS[style.symbol], rank = style.draw === 'place' ? RANKS[style.rank === undefined ? 2 : style.rank] : null;
      if (!symbolOf && !rank && !(text && style.label)) return;
      const look = rank ? Object.assign({ colour: '#16202b' }, rank) : Object.assign({ size: 11, weight: 600, priority: 5, colour: '#16202b' }, style.label);
      const latlng = layer.getLatLng ? layer.getLatLng() : middleOf(parts);
      if (!latlng) return;
      const half = symbolOf ? [symbolOf[0] / 2, symbolOf[1] / 2] : rank ? [rank.radius + 1, rank.radius + 1] : null;
      this.marks.push({ latlng, half, text, size: look.size, weight: look.weight || 600, colour: look.colour, priority: look.priority, spaced: look.spaced });
    },
    explained(i) {
      const box = P.element('div'), data = this.data, title = word(data.labels, i);
      box.append(P.element('div', 'poc-tip-kind', this.head.name));
      if (title) box.append(P.element('div', 'poc-tip-title', title));
      const list = P.element('table');
      for (const fact of data.facts) {
        const row = P.element('tr');
        row.append(P.element('td', '', fact.label), P.element('td', '', word(fact, i)));
        list.append(row);
      }
      box.append(list);
      return box;
    }
  });

  /** Middle of the box of the longest ring: good enough for a name. */
  function middleOf(parts) {
    const ring = parts.flat().sort((a, b) => b.length - a.length)[0];
    return ring ? L.latLngBounds(ring).getCenter() : null;
  }

  P.overlay = (name) => new OverlayLayer(name);
  P.features = features;
  P.Labels = Labels;
})();
