/* pocgeo-grid.js: grid references (MGRS, WGS84), degrees, and the lines of both on the map.
   Transverse Mercator after Krueger (1912) to the third order: millimetres within a UTM zone. */
(function () {
  'use strict';
  const RAD = Math.PI / 180;
  const A = 6378137, F = 1 / 298.257223563, N = F / (2 - F), E = Math.sqrt(F * (2 - F)), K0 = 0.9996;
  const RADIUS = A / (1 + N) * (1 + N * N / 4 + Math.pow(N, 4) / 64);
  const ALPHA = [N / 2 - 2 / 3 * N * N + 5 / 16 * N ** 3, 13 / 48 * N * N - 3 / 5 * N ** 3, 61 / 240 * N ** 3];
  const BETA = [N / 2 - 2 / 3 * N * N + 37 / 96 * N ** 3, N * N / 48 + N ** 3 / 15, 17 / 480 * N ** 3];
  const DELTA = [2 * N - 2 / 3 * N * N - 2 * N ** 3, 7 / 3 * N * N - 8 / 5 * N ** 3, 56 / 15 * N ** 3];
  const BANDS = 'CDEFGHJKLMNPQRSTUVWX', COLUMNS = ['ABCDEFGH', 'JKLMNPQR', 'STUVWXYZ'], ROWS = 'ABCDEFGHJKLMNPQRSTUV';

  function toUtm(lat, lon, zone) {
    const sine = Math.sin(lat * RAD), turn = (lon - (zone * 6 - 183)) * RAD;
    const t = Math.sinh(Math.atanh(sine) - E * Math.atanh(E * sine));
    const xi = Math.atan2(t, Math.cos(turn)), eta = Math.atanh(Math.sin(turn) / Math.sqrt(1 + t * t));
    let north = xi, east = eta;
    for (let j = 0; j < 3; j++) {
      east += ALPHA[j] * Math.cos(2 * (j + 1) * xi) * Math.sinh(2 * (j + 1) * eta);
      north += ALPHA[j] * Math.sin(2 * (j + 1) * xi) * Math.cosh(2 * (j + 1) * eta);
    }
    return [500000 + K0 * RADIUS * east, K0 * RADIUS * north + (lat < 0 ? 1e7 : 0)];
  }

  function fromUtm(east, north, zone, south) {
    const xi0 = (north - (south ? 1e7 : 0)) / (K0 * RADIUS), eta0 = (east - 5e5) / (K0 * RADIUS);
    let xi = xi0, eta = eta0;
    for (let j = 0; j < 3; j++) {
      xi -= BETA[j] * Math.sin(2 * (j + 1) * xi0) * Math.cosh(2 * (j + 1) * eta0);
      eta -= BETA[j] * Math.cos(2 * (j + 1) * xi0) * Math.sinh(2 * (j + 1) * eta0);
    }
    const chi = Math.asin(Math.sin(xi) / Math.cosh(eta));
    let lat = chi;
    for (let j = 0; j < 3; j++) lat += DELTA[j] * Math.sin(2 * (j + 1) * chi);
    return [lat / RAD, zone * 6 - 183 + Math.atan2(Math.sinh(eta), Math.cos(xi)) / RAD];
  }

  function zoneOf(lat, lon) {
    if (lat >= 56 && lat < 64 && lon >= 3 && lon < 12) return 32;
    if (lat >= 72 && lat < 84 && lon >= 0 && lon < 42) return lon < 9 ? 31 : lon < 21 ? 33 : lon < 33 ? 35 : 37;
    return Math.min(60, Math.floor((lon + 180) / 6) + 1);
  }

  function square(zone, east, north) {
    const row = (Math.floor(north / 1e5) + (zone % 2 ? 0 : 5)) % 20;
    return COLUMNS[(zone - 1) % 3][Math.floor(east / 1e5) - 1] + ROWS[row];
  }

  /** Grid reference with `digits` digits each way (5: a metre, 3: 100 m); the square that holds the point. */
  function mgrs(lat, lon, digits) {
    if (lat < -80 || lat > 84) return window.pocgeo.say('no_mgrs');
    const turned = ((lon + 180) % 360 + 360) % 360 - 180;
    const zone = zoneOf(lat, turned), utm = toUtm(lat, turned, zone), step = Math.pow(10, 5 - digits);
    const part = (metres) => String(Math.floor((metres % 1e5) / step)).padStart(digits, '0');
    const band = BANDS[Math.min(19, Math.floor((lat + 80) / 8))];
    return `${String(zone).padStart(2, '0')}${band} ${square(zone, utm[0], utm[1])} ${part(utm[0])} ${part(utm[1])}`;
  }

  function degrees(value, positive, negative, places) {
    return `${Math.abs(value).toFixed(places)}°${value < 0 ? negative : positive}`;
  }

  function position(lat, lon) { return `${degrees(lat, 'N', 'S', 4)} ${degrees(lon, 'E', 'W', 4)}`; }

  /* A canvas over the map, drawn anew when the map comes to rest. */
  const Overlay = L.Layer.extend({
    initialize(draw, pane) { this.draw = draw; this.options.pane = pane; },
    onAdd(map) {
      this.canvas = L.DomUtil.create('canvas', 'leaflet-zoom-hide', this.getPane());
      map.on('moveend zoomend resize viewreset', this.redraw, this);
      this.redraw();
    },
    onRemove(map) { this.canvas.remove(); map.off('moveend zoomend resize viewreset', this.redraw, this); },
    redraw() {
      const map = this._map, size = map.getSize(), canvas = this.canvas, pen = canvas.getContext('2d');
      L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
      const ratio = sized(canvas, size);
      pen.scale(ratio, ratio);
      this.draw(pen, map, size);
    }
  });

  /** A canvas that moves with the map; what extends it draws in redraw(). */
  const Canvas = L.Renderer.extend({
    options: { padding: 0.35 },
    _initContainer() { this._container = document.createElement('canvas'); this._pen = this._container.getContext('2d'); },
    _destroyContainer() { L.DomUtil.remove(this._container); delete this._container; delete this._pen; },
    /* Leaflet puts a canvas that is not scaled between pixels, which blurs it; ours stay on whole ones. */
    _updateTransform(center, zoom) {
      L.Renderer.prototype._updateTransform.call(this, center, zoom);
      if (zoom === this._zoom && this._center && this._center.equals(center)) L.DomUtil.setPosition(this._container, this._bounds.min);
    },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      L.DomUtil.setPosition(this._container, this._bounds.min);
      sized(this._container, this._bounds.getSize());
      this.redraw();
      this.fire('placed');
    }
  });

  /** Give a canvas its size in CSS pixels, and as many dots as the screen has; returns dots per pixel. */
  function sized(canvas, size) {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = size.x * ratio; canvas.height = size.y * ratio;
    canvas.style.width = size.x + 'px'; canvas.style.height = size.y + 'px';
    return ratio;
  }

  function haloed(pen, text, x, y, colour, width) {
    pen.lineJoin = 'round';
    pen.lineWidth = width || 3;
    pen.strokeStyle = 'rgba(255,255,255,.9)';
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }

  function stroke(pen, map, points) {
    pen.beginPath();
    points.forEach((point, i) => { const at = map.latLngToContainerPoint(point); if (i) pen.lineTo(at.x, at.y); else pen.moveTo(at.x, at.y); });
    pen.stroke();
  }

  const STEPS = [20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002];

  function drawDegrees(pen, map, size) {
    const bounds = map.getBounds(), span = Math.max(bounds.getEast() - bounds.getWest(), bounds.getNorth() - bounds.getSouth());
    const step = STEPS.find((candidate) => span / candidate >= 4) || 0.001;
    const places = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
    pen.font = '500 10.5px system-ui,"Segoe UI",sans-serif';
    for (let i = Math.ceil(bounds.getWest() / step); i * step < bounds.getEast(); i++) {
      pen.strokeStyle = 'rgba(38,56,74,.22)'; pen.lineWidth = 0.7;
      stroke(pen, map, [[bounds.getSouth(), i * step], [bounds.getNorth(), i * step]]);
      const x = map.latLngToContainerPoint([bounds.getSouth(), i * step]).x;
      if (x > 60 && x < size.x - 60) { pen.textAlign = 'center'; haloed(pen, degrees(i * step, 'E', 'W', places), x, 13, '#33475b'); }
    }
    for (let i = Math.ceil(bounds.getSouth() / step); i * step < bounds.getNorth(); i++) {
      pen.strokeStyle = 'rgba(38,56,74,.22)'; pen.lineWidth = 0.7;
      stroke(pen, map, [[i * step, bounds.getWest()], [i * step, bounds.getEast()]]);
      const y = map.latLngToContainerPoint([i * step, bounds.getWest()]).y;
      if (y > 24 && y < size.y - 60) { pen.textAlign = 'right'; haloed(pen, degrees(i * step, 'N', 'S', places), size.x - 5, y + 4, '#33475b'); }
    }
  }

  function drawMgrs(pen, map, size) {
    const bounds = map.getBounds(), south = Math.max(-80, bounds.getSouth()), north = Math.min(84, bounds.getNorth());
    const metresPerPixel = 40075017 * Math.cos(map.getCenter().lat * RAD) / (256 * Math.pow(2, map.getZoom()));
    const step = [1000, 10000, 100000].find((metres) => metres / metresPerPixel > 55) || 100000;
    const firstZone = zoneOf(0, bounds.getWest()), lastZone = zoneOf(0, bounds.getEast());
    for (let zone = firstZone; zone <= lastZone; zone++) {
      const west = Math.max(bounds.getWest(), zone * 6 - 186), east = Math.min(bounds.getEast(), zone * 6 - 180);
      for (const southern of [true, false]) {
        const low = southern ? south : Math.max(0, south), high = southern ? Math.min(0, north) : north;
        if (low < high && west < east) drawZone(pen, map, size, { zone, west, east, low, high, southern, step });
      }
    }
  }

  function drawZone(pen, map, size, part) {
    const { zone, west, east, low, high, southern, step } = part;
    const inset = southern ? -1e-9 : 0;
    const corners = [low, high].flatMap((lat) => [west, (west + east) / 2, east].map((lon) => toUtm(Math.min(lat, high + inset), lon, zone)));
    const easts = corners.map((c) => c[0]), norths = corners.map((c) => c[1] + (southern && c[1] < 1 ? 1e7 : 0));
    const [e0, e1, n0, n1] = [Math.min(...easts), Math.max(...easts), Math.min(...norths), Math.max(...norths)];
    const line = (from, to, bold) => {
      const points = [];
      for (let i = 0; i <= 16; i++) {
        const p = fromUtm(from[0] + (to[0] - from[0]) * i / 16, from[1] + (to[1] - from[1]) * i / 16, zone, southern);
        points.push([Math.max(low, Math.min(high, p[0])), Math.max(west, Math.min(east, p[1]))]);
      }
      pen.strokeStyle = bold ? 'rgba(91,42,134,.6)' : 'rgba(91,42,134,.38)';
      pen.lineWidth = bold ? 1.1 : 0.7;
      stroke(pen, map, points);
    };
    const digits = step === 1000 ? 2 : step === 10000 ? 1 : 0;
    pen.font = '600 10.5px system-ui,"Segoe UI",sans-serif';
    for (let x = Math.ceil(e0 / step) * step; x <= e1; x += step) {
      line([x, n0], [x, n1], x % 1e5 === 0);
      const at = map.latLngToContainerPoint(fromUtm(x, (n0 + n1) / 2, zone, southern)).x;
      if (digits && at > 60 && at < size.x - 60) { pen.textAlign = 'center'; haloed(pen, String(Math.floor((x % 1e5) / step)).padStart(digits, '0'), at, 13, '#5b2a86'); }
    }
    for (let y = Math.ceil(n0 / step) * step; y <= n1; y += step) {
      line([e0, y], [e1, y], y % 1e5 === 0);
      const at = map.latLngToContainerPoint(fromUtm((e0 + e1) / 2, y, zone, southern)).y;
      if (digits && at > 24 && at < size.y - 60) { pen.textAlign = 'right'; haloed(pen, String(Math.floor((y % 1e5) / step)).padStart(digits, '0'), size.x - 5, at + 4, '#5b2a86'); }
    }
    pen.textAlign = 'center';
    for (let x = Math.floor(e0 / 1e5) * 1e5; x < e1; x += 1e5) {
      for (let y = Math.floor(n0 / 1e5) * 1e5; y < n1; y += 1e5) {
        const middle = fromUtm((Math.max(x, e0) + Math.min(x + 1e5, e1)) / 2, (Math.max(y, n0) + Math.min(y + 1e5, n1)) / 2, zone, southern);
        if (x < 1e5 || x >= 9e5 || middle[1] < west || middle[1] > east) continue;
        const at = map.latLngToContainerPoint(middle), band = BANDS[Math.min(19, Math.floor((middle[0] + 80) / 8))];
        const metresPerPixel = (n1 - n0) / size.y;
        if (Math.min(x + 1e5, e1) - Math.max(x, e0) < 62 * metresPerPixel || Math.min(y + 1e5, n1) - Math.max(y, n0) < 20 * metresPerPixel) continue;
        pen.font = '650 12px system-ui,"Segoe UI",sans-serif';
        haloed(pen, `${zone}${band} ${square(zone, x + 1, y + 1)}`, at.x, at.y, '#5b2a86');
      }
    }
  }

  const GRIDS = { degrees: drawDegrees, mgrs: drawMgrs };
  function grid(kind) { return new Overlay(GRIDS[kind], 'poc-grid'); }

  Object.assign(window.pocgeo, { mgrs, position, grid, Overlay, Canvas, haloed });
})();
