/* pocgeo-time.js: the slider over weeks, months or quarters; and two measures against one another, on one
   map with a handle or on two maps that move together. */
(function () {
  'use strict';
  const P = window.pocgeo, el = P.element, say = P.say;
  const STEP_MS = 900;

  /** A bar under the maps: earlier, play, later, a slider, and the period in large letters. */
  P.timeBar = function (place, layers, changed) {
    const labels = layers[0].store.head.periods, bar = el('div', 'poc-time'), said = el('output', 'poc-period');
    if (!labels.length) return;
    let now = layers[0].period, timer = null;
    const range = el('input');
    Object.assign(range, { type: 'range', min: 0, max: labels.length - 1, step: 1, value: now });
    range.setAttribute('aria-label', say('period'));
    const tell = () => { range.value = now; said.textContent = labels[now]; range.setAttribute('aria-valuetext', labels[now]); };
    const go = async (to) => { now = Math.max(0, Math.min(labels.length - 1, to)); tell(); await Promise.all(layers.map((layer) => layer.setPeriod(now))); changed(); };
    const button = (text, label, act) => { const made = el('button', 'poc-step', text); made.type = 'button'; made.setAttribute('aria-label', label); made.title = label; made.addEventListener('click', act); return made; };
    const stop = () => { clearTimeout(timer); timer = null; play.textContent = '▶'; play.setAttribute('aria-label', say('play')); play.title = say('play'); };
    const next = async () => { const from = performance.now(); await go(now + 1); if (now >= labels.length - 1) stop(); else if (timer) timer = setTimeout(next, Math.max(60, STEP_MS - (performance.now() - from))); };
    const play = button('▶', say('play'), async () => {
      if (timer) { stop(); return; }
      play.textContent = '❚❚'; play.setAttribute('aria-label', say('pause')); play.title = say('pause');
      timer = setTimeout(next, STEP_MS);
      if (now >= labels.length - 1) await go(0);
    });
    range.addEventListener('input', () => { stop(); go(Number(range.value)); });
    bar.append(button('‹', say('earlier'), () => { stop(); go(now - 1); }), play, button('›', say('later'), () => { stop(); go(now + 1); }), range, said);
    bar.setAttribute('role', 'group');
    bar.setAttribute('aria-label', say('time'));
    bar.addEventListener('keydown', (event) => {
      const to = { PageUp: now - 1, PageDown: now + 1 }[event.key];
      if (to !== undefined) { event.preventDefault(); stop(); go(to); }
    });
    tell();
    place.append(bar);
    return { go, get now() { return now; } };
  };

  /** A handle that parts one map into left and right. */
  P.swipe = function (map, left, right) {
    const box = map.getContainer(), line = el('div', 'poc-swipe'), grip = el('div', 'poc-grip', '⇔');
    let share = 0.5, held = false;
    line.append(grip);
    line.tabIndex = 0;
    line.setAttribute('role', 'slider');
    line.setAttribute('aria-label', say('before_after'));
    line.setAttribute('aria-valuemin', '0');
    line.setAttribute('aria-valuemax', '100');
    box.append(line);
    const at = () => share * map.getSize().x;
    const place = () => {
      line.style.left = at() + 'px';
      line.setAttribute('aria-valuenow', String(Math.round(100 * share)));
      left.clip(at()); right.clip(at());
    };
    const to = (part) => { share = Math.max(0.02, Math.min(0.98, part)); place(); };
    line.addEventListener('pointerdown', (event) => { held = true; line.setPointerCapture(event.pointerId); event.preventDefault(); event.stopPropagation(); line.focus({ preventScroll: true }); });
    line.addEventListener('pointermove', (event) => { if (held) { event.stopPropagation(); to((event.clientX - box.getBoundingClientRect().left) / box.clientWidth); } });
    line.addEventListener('pointerup', () => { held = false; });
    for (const name of ['mousedown', 'click', 'dblclick', 'touchstart']) line.addEventListener(name, (event) => event.stopPropagation());
    line.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (by) { event.preventDefault(); event.stopPropagation(); to(share + by); }
    });
    map.on('move zoomend resize viewreset', place);
    for (const layer of [left, right]) layer.on('placed', place);
    place();
    return { at, to };
  };

  /** A word at the top of a map, or of one side of it. */
  P.sideLabel = function (map, text, side) {
    const label = el('div', 'poc-side poc-side-' + side, text);
    map.getContainer().append(label);
  };

  /** Two maps that move together; each shows where the other is pointed at. */
  P.together = function (maps) {
    let busy = false;
    const crosses = maps.map((map) => L.marker([0, 0], { pane: 'poc-labels', interactive: false, keyboard: false, icon: L.divIcon({ className: 'poc-cross', html: '', iconSize: [18, 18] }) }));
    const each = (from, act) => { if (busy) return; busy = true; maps.forEach((map) => { if (map !== from) act(map); }); busy = false; };
    maps.forEach((map, i) => {
      const other = 1 - i;
      map.on('move', () => each(map, (to) => {
        if (to.getZoom() !== map.getZoom()) { to.setView(map.getCenter(), map.getZoom(), { animate: false }); return; }
        const by = to.project(map.getCenter()).subtract(to.project(to.getCenter()));
        if (by.x || by.y) { to._rawPanBy(by); to.fire('move'); }
      }));
      map.on('moveend', () => each(map, (to) => to.setView(map.getCenter(), map.getZoom(), { animate: false })));
      map.on('mousemove', (event) => crosses[other].setLatLng(event.latlng).addTo(maps[other]));
      map.on('mouseout', () => crosses[other].remove());
    });
  };
})();
