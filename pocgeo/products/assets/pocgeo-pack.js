/* pocgeo-pack.js: data out of the page's inert blocks, and H3 ids as counting numbers.
   Mirrors pocgeo/products/maps/cellpack.py. */
window.pocgeo = {};
(function () {
  'use strict';

  function bytesOf(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  async function inflate(bytes) {
    if (typeof DecompressionStream === 'undefined') {
      throw new Error(say('too_old'));
    }
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  const opened = new Map();

  /** The bytes of a blob; decoded once, however many maps ask. */
  function blob(name) {
    if (!opened.has(name)) opened.set(name, inflate(bytesOf(document.getElementById(name).textContent)));
    return opened.get(name);
  }

  async function unpackJson(name) { return JSON.parse(new TextDecoder().decode(await blob(name))); }

  function json(name) { return JSON.parse(document.getElementById(name).textContent); }

  let words = null;

  /** A sentence of the page's language (standards/messages) with its values filled in. */
  function say(key, values) {
    words = words || json('pocgeo-words');
    return words[key].replace(/{(\w+)}/g, (hole, name) => (values && name in values ? String(values[name]) : hole));
  }

  /** A number as people of the page's language write it, with a true minus sign. */
  function number(value, digits) { return value.toLocaleString(say('locale'), { minimumFractionDigits: digits || 0, maximumFractionDigits: digits || 0 }).replace('-', '−'); }

  const listed = (texts) => texts.join(say('comma'));

  /** Runs (gap to first code in two words, length) to ascending codes. */
  function codesOfRuns(bytes, cells) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    const runs = words.length / 3;
    const codes = new Float64Array(cells);
    let code = 0, at = 0;
    for (let run = 0; run < runs; run++) {
      code += words[run] * 4294967296 + words[runs + run];
      for (let i = 0; i < words[2 * runs + run]; i++) codes[at++] = code + i;
    }
    return codes;
  }

  /** Codes of cells, 8 or 16 bits (a plane of low bytes, a plane of high bytes). */
  function codesOfPlanes(bytes, bits, cells) {
    if (bits === 8) return bytes;
    const codes = new Uint16Array(cells);
    for (let i = 0; i < cells; i++) codes[i] = bytes[i] | bytes[cells + i] << 8;
    return codes;
  }

  /** Base-7 counting number to the hexadecimal H3 index. */
  function cellOfCode(code, resolution) {
    const digits = new Array(15).fill(7);
    for (let level = resolution; level >= 1; level--) { digits[level - 1] = code % 7; code = Math.floor(code / 7); }
    let bits = '00001000' + resolution.toString(2).padStart(4, '0') + code.toString(2).padStart(7, '0');
    for (const digit of digits) bits += digit.toString(2).padStart(3, '0');
    let text = '';
    for (let i = 0; i < 64; i += 4) text += parseInt(bits.substr(i, 4), 2).toString(16);
    return text.replace(/^0/, '');
  }

  /** Base-7 counting number to the two words of its H3 index, as h3-js takes them: no text is made. */
  function wordsOfCode(code, resolution) {
    let low = 0, high = 0;
    for (let level = 15; level > resolution; level--) { const at = 3 * (15 - level); if (at < 30) low += 7 * Math.pow(2, at); else if (at === 30) { low += 3 * 1073741824; high += 1; } else high += 7 * Math.pow(2, at - 32); }
    for (let level = resolution; level >= 1; level--) {
      const rest = Math.floor(code / 7), digit = code - 7 * rest, at = 3 * (15 - level);
      if (at < 30) low += digit * Math.pow(2, at);
      else if (at === 30) { low += (digit & 3) * 1073741824; high += digit >> 2; } else high += digit * Math.pow(2, at - 32);
      code = rest;
    }
    return [low | 0, (high + code * 8192 + resolution * 1048576 + 134217728) | 0];
  }

  /** Hexadecimal H3 index to its base-7 counting number. */
  function codeOfCell(cell, resolution) {
    const high = parseInt(cell.slice(0, -8), 16), low = parseInt(cell.slice(-8), 16);
    let code = (high >>> 13) & 127;
    for (let level = 1; level <= resolution; level++) {
      const shift = 3 * (15 - level);
      let digit;
      if (shift >= 32) digit = (high >>> (shift - 32)) & 7;
      else if (shift === 30) digit = ((high << 2) | (low >>> 30)) & 7;
      else digit = (low >>> shift) & 7;
      code = code * 7 + digit;
    }
    return code;
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  Object.assign(window.pocgeo, { blob, unpackJson, json, codesOfRuns, codesOfPlanes, cellOfCode, wordsOfCode, codeOfCell, element, say, number, listed });
})();
