// The charts of /.status: asks for the numbers once a second, keeps two minutes of them, and draws.
'use strict';
(() => {
  const KEPT = 120, EVERY_MS = 1000;
  const NS = 'http://www.w3.org/2000/svg';
  const whole = new Intl.NumberFormat('en');

  function count(n) {
    return n < 10 && n % 1 !== 0 ? n.toFixed(1) : whole.format(Math.round(n));
  }

  function bytes(n) {
    const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
    let i = 0;
    for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
    return (i > 0 && n < 100 ? n.toFixed(1) : Math.round(n)) + ' ' + units[i];
  }

  function time(us) {
    if (us >= 1e6) return (us / 1e6).toFixed(1) + ' s';
    return us >= 1000 ? (us / 1000).toFixed(1) + ' ms' : Math.round(us) + ' µs';
  }

  // The time within which that share of the requests between two looks was answered.
  function quantile(now, before, share) {
    const buckets = now.durations.buckets.map((b, i) => [b[0], b[1] - before.durations.buckets[i][1]]);
    let left = share * buckets.reduce((sum, b) => sum + b[1], 0);
    let least = 0;
    if (left === 0) return null;
    for (const [most, n] of buckets) {
      if (most === null) return least;
      if (n >= left) return least + (most - least) * left / n;
      left -= n;
      least = most;
    }
    return least;
  }

  const rate = (get) => (now, before, s) => (get(now) - get(before)) / s;
  const charts = [
    ['Requests a second', count, rate((x) => x.requests.total)],
    ['Sent a second', bytes, rate((x) => x.bytes.sent)],
    ['Received a second', bytes, rate((x) => x.bytes.received)],
    ['Busy workers', count, (now) => now.workers.busy],
    ['Open connections', count, (now) => now.connections.open],
    ['99 % answered within', time, (now, before) => quantile(now, before, 0.99)],
  ].map(([name, text, value]) => ({name, text, value, points: []}));

  function element(name, parent, attributes = {}, ns = null) {
    const e = ns ? document.createElementNS(ns, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    parent.append(e);
    return e;
  }

  const place = document.getElementById('charts');
  for (const c of charts) {
    const figure = element('figure', place);
    const caption = element('figcaption', figure);
    element('span', caption).textContent = c.name;
    c.now = element('b', caption);
    c.svg = element('svg', figure, {viewBox: '0 0 119 100', preserveAspectRatio: 'none', role: 'img'}, NS);
    c.area = element('path', c.svg, {class: 'area'}, NS);
    c.curve = element('path', c.svg, {class: 'curve'}, NS);
    c.most = element('div', figure, {class: 'most'});
  }

  function draw(c) {
    const known = c.points.filter((p) => p !== null);
    const most = Math.max(...known, 0);
    const last = c.points[c.points.length - 1];
    const first = KEPT - c.points.length;
    let curve = '', area = '', open = -1;
    c.points.forEach((p, i) => {
      const x = first + i;
      const gap = p === null;
      if (!gap) {
        curve += (open < 0 ? 'M' : 'L') + x + ' ' + (100 - (most > 0 ? p / most : 0) * 100).toFixed(1);
        if (open < 0) open = x;
      }
      if (open >= 0 && (gap || i === c.points.length - 1)) {
        const end = gap ? x - 1 : x;
        area += curve.slice(curve.lastIndexOf('M')) + 'L' + end + ' 100L' + open + ' 100Z';
        open = -1;
      }
    });
    c.curve.setAttribute('d', curve);
    c.area.setAttribute('d', area);
    c.now.textContent = last === null ? '–' : c.text(last);
    c.most.textContent = 'most in two minutes: ' + c.text(most);
    c.svg.setAttribute('aria-label', c.name + ': ' + c.now.textContent + ', ' + c.most.textContent);
  }

  // The table's cells name their number by its path in the answer.
  function fill(now) {
    for (const cell of document.querySelectorAll('[data-of]')) {
      const n = cell.dataset.of.split('.').reduce((x, key) => x && x[key], now);
      if (n !== undefined) cell.textContent = cell.dataset.of.includes('bytes') ? bytes(n) : whole.format(n);
    }
    const s = Math.floor(now.uptime_ms / 1000);
    const pad = (n) => String(n).padStart(2, '0');
    document.getElementById('uptime').textContent = (s >= 86400 ? Math.floor(s / 86400) + ' d ' : '') +
      [s / 3600 % 24, s / 60 % 60, s % 60].map((n) => pad(Math.floor(n))).join(':');
  }

  const said = document.getElementById('lost');
  let before = null;
  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch('.status', {headers: {Accept: 'application/json'}, cache: 'no-store'});
      if (!answer.ok) throw new Error('it answered ' + answer.status);
      const now = await answer.json();
      // A gap, or another server in its place, cannot be counted across.
      if (before !== null && (now.started_s !== before.started_s || now.uptime_ms <= before.uptime_ms)) before = null;
      if (before !== null)
        for (const c of charts) {
          c.points.push(c.value(now, before, (now.uptime_ms - before.uptime_ms) / 1000));
          if (c.points.length > KEPT) c.points.shift();
          draw(c);
        }
      fill(now);
      before = now;
      said.hidden = true;
    } catch (error) {
      said.textContent = 'No answer from the server (' + error.message + '); trying again.';
      said.hidden = false;
    }
  }
  setInterval(look, EVERY_MS);
  look();
})();
