/* pocgeo-symbols.js: our own drawings. A base is the frame of a friendly unit as in APP-6 (a headquarters
   on its staff, a company with one bar above, planned dashed, closed struck out) with its kind in it. */
(function () {
  'use strict';
  const P = window.pocgeo, SVG = 'http://www.w3.org/2000/svg';
  const INK = '#0b2a45', FACE = 'system-ui,"Segoe UI",sans-serif';

  function svg(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function svgText(x, y, size, fill, text) {
    const made = svg('text', { x, y, 'font-size': size, 'font-weight': 700, 'text-anchor': 'middle', fill, 'font-family': FACE });
    made.textContent = text;
    return made;
  }

  function base(kind, status) {
    const closed = status === 'closed', ink = closed ? '#4c5763' : INK;
    const frame = svg('rect', { x: 1.5, y: 6.5, width: 31, height: 17, fill: closed ? '#e3e6e9' : '#bfe0ff', stroke: ink, 'stroke-width': 1.7 });
    if (status === 'planned') frame.setAttribute('stroke-dasharray', '4 2.4');
    const parts = [frame];
    if (kind === 'HQ') parts.push(svg('line', { x1: 1.5, y1: 6, x2: 1.5, y2: 30, stroke: ink, 'stroke-width': 1.9 }));
    if (kind === 'COB') parts.push(svg('line', { x1: 17, y1: 0.5, x2: 17, y2: 5, stroke: ink, 'stroke-width': 1.7 }));
    parts.push(svgText(17, 19, 10.5, ink, kind === 'other' || !kind ? 'UN' : kind.slice(0, 4)));
    if (closed) parts.push(svg('line', { x1: 2, y1: 23, x2: 32, y2: 7, stroke: '#8f1d1d', 'stroke-width': 2 }));
    return parts;
  }

  /* [width, height, draw(kind, status)]; the middle is the place. */
  const SYMBOLS = {
    base: [34, 30, base],
    site: [22, 20, () => [
      svg('path', { d: 'M11 2 L20.5 18 H1.5 Z', fill: '#ffd58a', stroke: '#6a3d00', 'stroke-width': 1.5, 'stroke-linejoin': 'round' }),
      svg('path', { d: 'M11 10 L14.5 18 H7.5 Z', fill: '#6a3d00' })]],
    alert: [16, 16, () => [
      svg('circle', { cx: 8, cy: 8, r: 6, fill: 'none', stroke: '#0d6b6b', 'stroke-width': 1.6 }),
      svg('circle', { cx: 8, cy: 8, r: 2.6, fill: '#0d6b6b' })]],
    candidate: [14, 14, () => [
      svg('rect', { x: 2, y: 2, width: 10, height: 10, fill: '#fff', stroke: INK, 'stroke-width': 1.6, 'stroke-dasharray': '2.4 1.6' })]],
    rank: [24, 24, (kind) => [
      svg('circle', { cx: 12, cy: 12, r: 10, fill: '#fff', stroke: '#111', 'stroke-width': 1.8 }),
      svgText(12, 16, 11.5, '#111', kind || '')]]
  };

  function symbol(name, kind, status) {
    const [width, height, draw] = SYMBOLS[name];
    return svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...draw(kind, status));
  }

  /** What stands for a layer, or for one class of it, in the panel. */
  P.swatch = function (style) {
    if (style.draw === 'symbol') return symbol(style.symbol, style.symbol === 'base' ? 'COB' : style.symbol === 'rank' ? '1' : '', style.status);
    const out = svg('svg', { width: 28, height: 16, viewBox: '0 0 28 16', 'aria-hidden': 'true' }), dash = (style.dash || []).join(' ');
    if (style.draw === 'dot') {
      out.append(svg('circle', { cx: 14, cy: 8, r: style.cluster ? 7.4 : 4.5, fill: style.fill, stroke: '#555', 'stroke-width': 0.8 }));
      if (style.cluster) out.append(svgText(14, 11.4, 9.5, '#fff', 'n'));
    } else if (style.draw === 'place') out.append(svg('circle', { cx: 14, cy: 8, r: 4, fill: '#fff', stroke: '#222', 'stroke-width': 1.6 }));
    else if (style.draw === 'area') out.append(svg('rect', { x: 2, y: 2, width: 24, height: 12, fill: style.fill || 'none', 'fill-opacity': style.fill ? style.opacity : 0, stroke: style.colour, 'stroke-width': style.weight, 'stroke-dasharray': dash }));
    else {
      out.append(svg('line', { x1: 1, y1: 8, x2: style.arrow ? 21 : 27, y2: 8, stroke: style.colour, 'stroke-width': Math.max(1.4, style.weight), 'stroke-dasharray': dash }));
      if (style.arrow) out.append(svg('path', { d: 'M27 8 L19.5 4 V12 Z', fill: style.colour }));
    }
    return out;
  };

  Object.assign(P, { SYMBOLS, symbol });
})();
