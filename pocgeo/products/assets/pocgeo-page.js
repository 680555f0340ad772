/* pocgeo-page.js: what stands around a map: panel with legend and layers, tooltip, read-out, scale,
   north, grid, print. Every text reaches the page as textContent. */
(function () {
  'use strict';
  const P = window.pocgeo, el = P.element, say = P.say;
  const PANES = { 'poc-far': 150, 'poc-far-lines': 160, 'poc-land': 200, 'poc-cells': 300, 'poc-water': 380, 'poc-grid': 390, 'poc-areas': 400, 'poc-lines': 410, 'poc-marks': 450, 'poc-points': 460, 'poc-symbols': 600, 'poc-labels': 610 };
  const HEARD = ['poc-marks', 'poc-symbols'];
  const MOST_KINDS = 7, TIP_PX = 300;
  const page = { maps: 0, ready: 0 };
  document.documentElement.dataset.pocgeo = 'loading';

  function panes(map) {
    for (const [name, z] of Object.entries(PANES)) {
      const pane = map.createPane(name);
      pane.style.zIndex = z;
      if (!HEARD.includes(name)) pane.style.pointerEvents = 'none';
    }
    map.pocAreas = L.canvas({ pane: 'poc-areas', padding: 0.35 });
    map.pocMarks = L.canvas({ pane: 'poc-marks', padding: 0.35, tolerance: 3 });
    map.pocWater = L.canvas({ pane: 'poc-water', padding: 0.35 });
    map.pocFarLand = L.canvas({ pane: 'poc-far', padding: 0.35 });
    map.pocLand = L.canvas({ pane: 'poc-land', padding: 0.35 });
  }

  /* ---- tooltip: one a map ---- */
  class Tip {
    constructor(map) { this.map = map; this.tip = L.tooltip({ className: 'poc-tip', opacity: 1 }); this.held = false; }
    show(latlng, content) {
      const at = this.map.latLngToContainerPoint(latlng), size = this.map.getSize(), line = this.map.pocSwipe ? this.map.pocSwipe.at() : null;
      // Away from the middle, and not across the handle where there is room beside it.
      const left = line === null ? at.x > size.x / 2 : at.x > line ? size.x - at.x < TIP_PX : at.x > TIP_PX;
      this.tip.options.direction = left ? 'left' : 'right';
      this.tip.options.offset = L.point(left ? -14 : 14, at.y < 110 ? 60 : at.y > size.y - 110 ? -60 : 0);
      if (content) this.tip.setContent(content);
      this.tip.setLatLng(latlng);
      if (!this.map.hasLayer(this.tip)) this.tip.addTo(this.map);
    }
    hide() { this.tip.remove(); }
    attach(layer, explain) {
      layer.on('mouseover', (event) => { this.held = true; this.show(event.latlng, explain()); });
      layer.on('mousemove', (event) => this.show(event.latlng));
      layer.on('mouseout', () => { this.held = false; this.hide(); });
    }
  }

  function said(measure, value, alone) {
    if (Number.isNaN(value)) return measure.missing;
    if (measure.onlyClasses && alone) return measure.classes[measure.classOf(value)].label;
    if (measure.categories) return measure.classes[value].label;
    const text = P.number(value, measure.digits) + (measure.unit ? (measure.unit === '%' ? '' : ' ') + measure.unit : '');
    return measure.exact ? text : say('about', { value: text });
  }

  function explained(layer, found) {
    const box = el('div'), store = layer.store, alone = found.cells === 1, now = store.head.periods[layer.period];
    box.append(el('div', 'poc-tip-title', found.title));
    if (alone) for (const text of store.texts) if (text.reason && text.at(found.k)) box.append(el('div', 'poc-tip-reason', text.at(found.k)));
    const table = el('table');
    store.measures.forEach((measure, i) => {
      const how = measure.group === 'sum' ? 'sum' : measure.group === 'max' || layer.overview === 'highest' ? 'max' : 'mean', row = el('tr', i === layer.shown ? 'poc-on' : '');
      const of = alone ? '' : ` (${say(how === 'max' ? 'highest' : measure.categories ? 'most' : how === 'sum' ? 'total' : 'mean')})`, when = measure.at.length ? say('comma') + now : '';
      row.append(el('td', '', measure.name + when + of), el('td', '', measure.opened(layer.period) ? said(measure, measure.valueAt(found.level, found.k, how, layer.period), alone) : '…'));
      table.append(row);
    });
    if (alone) {
      for (const text of store.texts) {
        if (text.reason) continue;
        const row = el('tr');
        row.append(el('td', '', text.label), el('td', '', text.at(found.k)));
        table.append(row);
      }
    }
    box.append(table);
    if (found.hatched) box.append(el('div', 'poc-tip-foot', store.head.hatch.label));
    box.append(el('div', 'poc-tip-foot', [found.foot, say('copy')].filter(Boolean).join(' · ')));
    return box;
  }

  async function copied(text) {
    try { await navigator.clipboard.writeText(text); return true; } catch (refused) { /* older way below */ }
    const field = el('textarea', 'poc-copy', text);
    document.body.append(field);
    field.select();
    let done = false;
    try { done = document.execCommand('copy'); } catch (refused) { done = false; }
    field.remove();
    return done;
  }

  function toast(map, text, ms) {
    const box = el('div', 'poc-toast', text);
    box.setAttribute('role', 'status');
    map.getContainer().append(box);
    setTimeout(() => box.remove(), ms || 3500);
  }

  /** Explain the cell under the pointer; `layerAt` says which layer is seen there. */
  function hover(map, layerAt) {
    const outline = L.polygon([], { renderer: map.pocAreas, color: '#000', weight: 2, fill: false, interactive: false });
    let last = '';
    const clear = () => { last = ''; outline.remove(); if (!map.pocTip.held) map.pocTip.hide(); };
    const under = (event) => { const layer = layerAt(event.containerPoint); return [layer, map.hasLayer(layer) ? layer.pick(event.latlng) : null]; };
    map.on('mousemove', (event) => {
      if (map.pocTip.held) { outline.remove(); last = ''; return; }
      const [layer, found] = under(event);
      if (!found) { clear(); return; }
      const key = `${found.key}/${layer.side}/${layer.shown}/${layer.overview}/${layer.period}`;
      map.pocTip.show(event.latlng, key === last ? null : explained(layer, found));
      if (key !== last) { outline.setLatLngs(found.outline); outline.addTo(map); }
      last = key;
    });
    map.on('mouseout movestart zoomstart', clear);
    map.on('click', async (event) => {
      if (map.pocTip.held) return;
      const [, found] = under(event);
      if (found) toast(map, await copied(found.copy) ? say('copied', { text: found.copy }) : found.copy);
    });
  }

  /* ---- panel ---- */
  function select(label, choices, chosen, changed) {
    const box = el('select', 'poc-select');
    box.setAttribute('aria-label', label);
    choices.forEach(([value, text]) => { const choice = el('option', '', text); choice.value = value; box.append(choice); });
    box.value = chosen;
    box.addEventListener('change', () => changed(box.value));
    return box;
  }

  function share(cells, all) {
    const percent = 100 * cells / Math.max(1, all);
    return (cells === 0 ? '0' : percent < 0.1 ? '< ' + P.number(0.1, 1) : cells < all && percent > 99.5 ? '> ' + P.number(99.5, 1) : P.number(percent, percent < 9.95 ? 1 : 0)) + ' %';
  }

  function classRow(layer, index, label, redraw) {
    const row = el('button', 'poc-row' + (layer.hidden.has(index) ? ' poc-off' : '')), swatch = el('span', 'poc-swatch');
    if (index === P.UNKNOWN) swatch.classList.add('poc-missing'); else swatch.style.backgroundColor = layer.measure().classes[index].colour;
    row.type = 'button';
    row.title = say('show_hide');
    row.setAttribute('aria-pressed', String(!layer.hidden.has(index)));
    row.append(swatch, el('span', 'poc-name', label), el('span', 'poc-share', share(layer.measure().cellsOf(index, layer.period), layer.store.head.cells)));
    row.addEventListener('click', () => { layer.toggle(index); redraw(); });
    return row;
  }

  /** The classes of one layer; `heading` says which side of a comparison it is. */
  function legend(map, panel, layer, heading) {
    const measures = layer.store.measures, head = layer.store.head, body = el('div', 'poc-legend'), part = el('section', 'poc-part'), areas = head.kind === 'areas';
    part.append(el('h3', '', heading || say((areas ? 'areas' : 'cells') + (measures.length > 1 ? '_show' : ''))));
    if (measures.length > 1) part.append(select(say('measure') + (heading ? `${say('comma')}${heading}` : ''), measures.map((m, i) => [String(i), m.name]), String(layer.shown), async (value) => { await layer.show(Number(value)); draw(); }));
    const from = select(say('far'), [['typical', say('far_typical')], ['highest', say('far_highest')], ['every cell', say('far_every')]], 'typical', (value) => { layer.setOverview(value); draw(); });
    function draw() {
      const measure = layer.measure(), all = head.cells, resolution = layer.drawnResolution(), grouped = !areas && resolution < head.resolution;
      body.textContent = '';
      body.append(el('div', 'poc-measure', measure.label));
      if (measure.at.length) body.append(el('div', 'poc-when', head.periods[layer.period]));
      if (measure.help) body.append(el('p', 'poc-help', measure.help));
      const order = measure.classes.map((_, i) => i);
      if (!measure.categories) order.reverse();
      // A long list of kinds: those that occur nowhere are named in a line.
      const nowhere = measure.categories && order.length > MOST_KINDS ? order.filter((i) => measure.counts.every((counts) => !counts[i])) : [];
      order.filter((i) => !nowhere.includes(i)).forEach((i) => body.append(classRow(layer, i, measure.classes[i].label, draw)));
      if (measure.missingCells.some(Boolean) || measure.at.includes(-1)) body.append(classRow(layer, P.UNKNOWN, measure.missing, draw));
      if (head.hatch && head.hatch.cells) { const row = el('div', 'poc-row poc-still'); row.append(el('span', 'poc-swatch poc-hatched'), el('span', 'poc-name', head.hatch.label), el('span', 'poc-share', share(head.hatch.cells, all))); body.append(row); }
      if (nowhere.length) body.append(el('p', 'poc-fine', say('nowhere', { list: P.listed(nowhere.map((i) => measure.classes[i].label.toLowerCase())) })));
      const large = layer.widthPx(resolution) < 10 ? measure.loud.filter((i) => measure.cellsOf(i, layer.period)) : [];
      const loud = large.length ? say(large.length > 1 ? 'loud_many' : 'loud_one', { list: large.map((i) => measure.classes[i].label.toLowerCase()).join('; ') }) + ' ' : '';
      const group = grouped ? say('group', { cells: P.number(Math.pow(7, head.resolution - resolution)), how: say(layer.how() === 'max' ? 'highest' : measure.categories ? 'most' : measure.group === 'sum' ? 'mean_cell' : 'mean') }) + ' ' : '';
      body.append(el('p', 'poc-fine', areas ? say('share_areas', { areas: P.number(all) }) : loud + group + say('share_cells', { cells: P.number(all), resolution: head.resolution })));
      from.hidden = areas || (!grouped && layer.overview === 'typical');
    }
    part.append(body, from);
    panel.append(part);
    map.on('zoomend', draw);
    draw();
    return draw;
  }

  /** A row per overlay; where there are two maps, one row for the overlay on both. */
  function layerRows(views, panel, absent) {
    const map = views[0].map, overlays = views[0].overlays.slice(1);
    const part = el('section', 'poc-part');
    part.append(el('h3', '', say('on_map')));
    overlays.forEach((layer, at) => {
      const row = el('label', 'poc-row'), box = el('input'), head = layer.head, mark = el('span', 'poc-mark'), under = el('div');
      box.type = 'checkbox';
      box.checked = map.hasLayer(layer);
      row.classList.toggle('poc-unticked', !box.checked);
      box.addEventListener('change', () => {
        row.classList.toggle('poc-unticked', !box.checked);
        under.hidden = !box.checked;
        for (const view of views) { const own = view.overlays[at + 1]; if (box.checked) view.map.addLayer(own); else view.map.removeLayer(own); }
      });
      mark.append(P.swatch(head.style));
      const count = head.features < head.of - head.unplaced ? say('first_of', { shown: P.number(head.features), all: P.number(head.of) }) : P.number(head.features);
      row.append(box, mark, el('span', 'poc-name', head.name), el('span', 'poc-share', count));
      part.append(row);
      under.hidden = !box.checked;
      for (const { label, colour, features } of head.classes || []) {
        const line = el('div', 'poc-row poc-still poc-under'), sign = el('span', 'poc-mark');
        sign.append(P.swatch(Object.assign({}, head.style, { colour, fill: colour })));
        line.append(sign, el('span', 'poc-name', label), el('span', 'poc-share', P.number(features)));
        under.append(line);
      }
      part.append(under);
      if (head.lacks.length) part.append(el('p', 'poc-fine', say('plain', { name: head.name, list: P.listed(head.lacks).replace(/_/g, ' ') })));
      if (head.unplaced) part.append(el('p', 'poc-fine', say('unplaced', { number: P.number(head.unplaced), name: head.name })));
    });
    if (absent.length) part.append(el('p', 'poc-fine', say('absent', { list: P.listed(absent).replace(/_/g, ' ') })));
    panel.append(part);
  }

  function tilesRow(views, panel, settings) {
    const row = el('label', 'poc-row'), box = el('input');
    box.type = 'checkbox';
    box.checked = true;
    box.addEventListener('change', () => views.forEach(({ map }) => (box.checked ? map.addLayer(map.pocTiles) : map.removeLayer(map.pocTiles))));
    row.append(box, el('span', 'poc-name', say('online') + (settings.credit ? `: ${settings.credit}` : '')));
    panel.lastChild.append(row);
  }

  function gridRow(views, panel) {
    let shown = [];
    const set = (kind) => { shown.forEach((grid) => grid.remove()); shown = kind ? views.map((view) => P.grid(kind).addTo(view.map)) : []; };
    const part = el('section', 'poc-part poc-inline');
    part.append(el('h3', '', say('grid')), select(say('grid'), [['degrees', say('grid_degrees')], ['mgrs', 'MGRS'], ['', say('grid_none')]], 'degrees', set));
    panel.append(part);
    set('degrees');
  }

  /* ---- furniture on the map ---- */
  function control(position, make) {
    const made = L.control({ position });
    made.onAdd = make;
    return made;
  }

  function onMap(map) {
    control('topleft', () => {
      const box = el('div', 'poc-north');
      box.setAttribute('role', 'img');
      box.setAttribute('aria-label', say('north_up'));
      box.append(el('span', 'poc-arrow', '▲'), el('span', '', say('north')));
      return box;
    }).addTo(map);
    for (const [key, name] of [['zoom_in', '_zoomInButton'], ['zoom_out', '_zoomOutButton']]) { const button = map.zoomControl[name]; button.title = say(key); button.setAttribute('aria-label', say(key)); }
    const readout = el('div', 'poc-readout', '');
    control('bottomright', () => readout).addTo(map);
    L.control.scale({ position: 'bottomleft', maxWidth: 160, imperial: false }).addTo(map);
    const tell = (latlng) => { readout.textContent = `${P.position(latlng.lat, latlng.lng)}   MGRS ${P.mgrs(latlng.lat, latlng.lng, 4)}`; };
    map.on('mousemove', (event) => tell(event.latlng));
    map.on('moveend', () => tell(map.getCenter()));
    tell(map.getCenter());
  }

  function fitted(map, bounds, below) {
    const box = L.latLngBounds([bounds[1], bounds[0]], [bounds[3], bounds[2]]);
    map.fitBounds(box, { paddingTopLeft: [26, 26], paddingBottomRight: [26, below], animate: false });
    const whole = map.getZoom(), corners = [box.getNorthWest(), box.getSouthEast()].map((at) => map.project(at)), far = () => map.getContainer().classList.toggle('poc-far', map.getZoom() < whole + 1.5);
    map.pocWhole = (corners[1].x - corners[0].x) * (corners[1].y - corners[0].y);
    map.on('zoom', far);
    far();
    map.setMinZoom(Math.max(1, whole - 2));
    map.setMaxBounds(box.pad(1.5));
  }

  /* Paper: a canvas cannot be drawn anew while the browser prints, so a page that fills the window keeps
     its size on the screen and is scaled to A4. */
  function printable() {
    const style = document.body.style;
    window.addEventListener('beforeprint', () => {
      const width = window.innerWidth, height = window.innerHeight;
      style.width = width + 'px'; style.height = height + 'px';
      style.zoom = String(Math.min(1062 / width, 734 / height));
    });
    window.addEventListener('afterprint', () => { style.width = style.height = style.zoom = ''; });
  }

  /** In a page that is scrolled, the wheel turns the page until the reader has chosen the map. */
  function scrollsWhenChosen(map) {
    map.scrollWheelZoom.disable();
    map.on('focus', () => map.scrollWheelZoom.enable());
    map.on('blur', () => map.scrollWheelZoom.disable());
  }

  /** Pictures from a host the map's file names; where there is no network the map simply has none. */
  function tiled(map, settings) {
    map.pocTiles = L.tileLayer(settings.tiles, { referrerPolicy: 'no-referrer', className: 'poc-tiles' }).addTo(map);
  }

  function built(view, settings) {
    const [outline, ...overlays] = view.overlays;
    outline.build(view.map, 0);
    if (settings.tiles) tiled(view.map, settings);
    else outline.eachLayer((land) => { L.polygon(land.getLatLngs(), { renderer: view.map.pocLand, interactive: false, stroke: false, fillColor: '#fbfaf6', fillOpacity: 1 }).addTo(view.map); });
    overlays.forEach((layer, i) => layer.build(view.map, i + 1));
  }

  /** Fill one panel and its map, or its two maps: [{ map, cells: [layer ...], overlays }, ...]. */
  async function furnish(name, views) {
    const settings = P.json(name), first = views[0].map, panel = document.getElementById('panel-' + first.getContainer().id), words = settings.compare;
    page.maps++;
    for (const view of views) { const map = view.map; map.pocTip = new Tip(map); map.pocLabels = new P.Labels(map); map.pocThread = new P.Sheet({ pane: 'poc-lines' }); map.pocSpots = new P.Sheet({ pane: 'poc-points' }); fitted(map, settings.bounds, view.cells.some((layer) => layer.store.head.periods.length) ? 66 : 26); map.pocThread.addTo(map); map.pocSpots.addTo(map); onMap(map); if (!settings.single) scrollsWhenChosen(map); }
    if (settings.single) printable();
    const layers = views.flatMap((view) => view.cells);
    await Promise.all([...views.flatMap((view) => view.overlays), ...layers].map((layer) => layer.ready));
    views.forEach((view) => built(view, settings));
    const sides = words ? [words.left, words.right] : [];
    const draws = layers.map((layer, i) => legend((views[i] || views[0]).map, panel, layer, sides[i]));
    if (words && views.length === 2) { P.together(views.map((view) => view.map)); views.forEach((view, i) => P.sideLabel(view.map, sides[i], 'middle')); }
    let swipe = null;
    if (words && views.length === 1 && layers.length === 2) { swipe = first.pocSwipe = P.swipe(first, ...layers); P.sideLabel(first, sides[0], 'left'); P.sideLabel(first, sides[1], 'right'); }
    views.forEach((view) => { if (view.cells.length) hover(view.map, (point) => view.cells[swipe && point.x > swipe.at() ? 1 : 0]); });
    const time = layers.length ? P.timeBar(first.getContainer().parentNode, layers, () => draws.forEach((draw) => draw())) : null;
    panel.classList.toggle('poc-dense', views[0].overlays.length > 11 || layers.length > 1);
    layerRows(views, panel, settings.absent);
    if (settings.tiles) tilesRow(views, panel, settings);
    gridRow(views, panel);
    if (layers.length) panel.append(el('p', 'poc-fine poc-hint', say(layers[0].store.head.kind === 'areas' ? 'hint_areas' : 'hint_cells')));
    for (const view of views) P.maps.push({ map: view.map, cells: view.cells[0] || null, layers: view.cells, overlays: view.overlays, time, swipe });
    if (layers.length) layers[0].store.rest.then(() => layers.forEach((layer) => layer.prepare()));
    page.ready++;
    if (page.ready === page.maps) document.documentElement.dataset.pocgeo = 'ready';
  }

  window.addEventListener('beforeprint', () => document.querySelectorAll('.poc-more').forEach((more) => { more.open = true; }));

  P.maps = [];
  L.Map.addInitHook(function () { panes(this); });
  P.furnish = function (name, views) {
    furnish(name, views).catch((error) => {
      document.documentElement.dataset.pocgeo = 'failed';
      toast(views[0].map, say('failed', { reason: error.message }), 600000);
      console.error(error);
    });
  };
})();
