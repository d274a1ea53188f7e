// The listing page for a browser with script: filter, preview, new folder, rename, delete, and uploads
// that can be interrupted. Without it the page still lists, sorts, filters and uploads.
//
// Nothing here needs a secure context, since the server is mostly met as http://address.

'use strict';

const CHUNK_LEAST = 1 << 20;
const CHUNK_MOST = 64 << 20;
const CHUNK_SECONDS = 2; // How much is sent by one request: what goes through in so long.
const AT_ONCE = 3; // Files.
const STALL_MS = 60000; // A request that has not moved for so long is begun anew.
const STALE_MS = 15000; // An upload whose tab has not been heard of for so long has nobody.
const STORE = 'httpd.upload:';

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// An element. Text is always text: no markup is ever made of a name.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const button = (text, onclick, className = '') => make('button', { type: 'button', onclick, className }, text);

const live = make('div', { id: 'say', role: 'status' });
function say(text) {
  live.textContent = text;
}

function sizeText(bytes) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit && bytes < 99.95 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

function durationText(seconds) {
  const s = Math.ceil(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}

// ---- Paths ---------------------------------------------------------------------------------------

// What the server calls a name; the names of the file system are bytes, and need be no text.
const encode = (path) => path.split('/').map(encodeURIComponent).join('/');

function decode(encoded) {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

const here = () => location.pathname.replace(/[^/]*$/, '');
const mayWrite = () => Boolean($('#upload'));

// The file of a row.
function fileOf(row) {
  const link = $('a', row);
  const { pathname } = new URL(link.href);
  const last = pathname.replace(/\/$/, '').replace(/.*\//, '');
  const directory = row.classList.contains('dir');
  const shown = link.textContent.replace(/\/$/, '');
  return {
    row, link, directory, pathname, last, shown, kind: row.className, name: decode(last) ?? shown,
    facts: directory ? row.cells[2].textContent : `${row.cells[1].textContent}, ${row.cells[2].textContent}`,
  };
}

// All rows of the listing, and those that the filter lets through. On the page are the first of these:
// to lay out 5000 at once takes a browser most of a second, so the others come when there is time.
const AT_FIRST = 200;
let rows = [];
let found = [];

// ---- Requests ------------------------------------------------------------------------------------

// Resolves with the response when it is a success; else the error has the server's own words.
async function ask(method, address, headers = {}) {
  let response;
  try {
    response = await fetch(address, { method, headers: { Accept: 'application/json', ...headers }, cache: 'no-store' });
  } catch {
    throw Object.assign(new Error('The server cannot be reached.'), { status: 0 });
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw Object.assign(new Error(said.message || `${response.status} ${response.statusText}`),
    { status: response.status });
}

// ---- Dialogs -------------------------------------------------------------------------------------

function openDialog(title, ...content) {
  const heading = make('h2', { id: 'dialog-title' }, title);
  const dialog = make('dialog', {}, heading, ...content);
  dialog.setAttribute('aria-labelledby', heading.id);
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog && dialog.dataset.down) dialog.close();
  });
  // Only what began on the backdrop is a click on it: not a selection that ended there.
  dialog.addEventListener('pointerdown', (event) => {
    dialog.dataset.down = event.target === dialog ? '1' : '';
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Asks for one of some answers: [text, value, class]. Resolves with the value, null for none.
function choose(title, content, answers) {
  return new Promise((resolve) => {
    let value = null;
    const row = make('div', { className: 'row end' });
    const dialog = openDialog(title, ...content, row);
    for (const [text, answer, className] of answers)
      row.append(button(text, () => {
        value = answer;
        dialog.close();
      }, className));
    row.firstChild.focus();
    dialog.addEventListener('close', () => resolve(value));
  });
}

const tell = (title, text) => choose(title, [make('p', {}, text)], [['Close', null]]);

function focusOn(name) {
  const row = rows.find((r) => fileOf(r).name === name);
  if (row) $('a', reveal(row)).focus();
}

// Asks for a name and tries it, until that works or it is called off. What the attempt returns is done once
// the dialog is closed.
function askName(title, label, name, action, attempt) {
  const input = make('input', { type: 'text', id: 'name', value: name, required: true, autocomplete: 'off', spellcheck: false });
  const fault = make('p', { className: 'bad', id: 'name-fault', role: 'alert' });
  const form = make('form', {},
    make('label', { htmlFor: 'name' }, label), input, fault,
    make('div', { className: 'row end' }, button('Cancel', () => dialog.close()),
      make('button', { className: 'main' }, action)));
  input.setAttribute('aria-describedby', fault.id);
  const dialog = openDialog(title, form);
  const dot = name.lastIndexOf('.');
  input.focus();
  input.setSelectionRange(0, dot > 0 ? dot : name.length);
  form.onsubmit = async (event) => {
    event.preventDefault();
    fault.textContent = faultOfName(input.value);
    if (fault.textContent) return;
    try {
      const after = input.value === name ? null : await attempt(input.value);
      dialog.close(); // Which gives the focus back to where it was.
      after?.();
    } catch (error) {
      fault.textContent = error.message;
    }
  };
}

function faultOfName(name) {
  if (name.includes('/')) return 'A name has no slash in it.';
  if (name.startsWith('.')) return 'Names that begin with a dot are hidden, and not made here.';
  if (new TextEncoder().encode(name).length > 255) return 'That name is too long: 255 bytes are what a name can have.';
  return '';
}

// ---- The listing ---------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
let generation = 0; // Of what is put on the page: older work is given up.

// Gives a row its button and the time of this place.
function dress(row) {
  if (row.cells.length > 3) return row;
  const time = row.cells[2];
  time.textContent = clock.format(new Date(`${time.textContent.replace(' ', 'T')}Z`));
  const menu = make('button', { type: 'button' }, '⋯');
  menu.setAttribute('aria-label', `Details and actions for ${row.cells[0].textContent}`);
  menu.setAttribute('aria-haspopup', 'dialog');
  row.append(make('td', {}, menu));
  return row;
}

// Puts the found rows on the page: some at once, the others some at a time.
async function put(some) {
  const mine = ++generation;
  const body = $('tbody');
  body.replaceChildren(...$$('.up', body), ...found.slice(0, some).map(dress));
  for (let i = some; i < found.length; i += AT_FIRST) {
    await wait(0);
    if (mine !== generation) return;
    body.append(...found.slice(i, i + AT_FIRST).map(dress));
  }
}

// The same row, which is on the page now.
function reveal(row) {
  const at = found.indexOf(row);
  if (at >= 0 && !row.isConnected) put(at + 1);
  return dress(row);
}

// Takes over a listing as the server made it, of which `some` rows are wanted at once.
function takeOver(some) {
  const head = $('thead tr');
  $('th:last-child a', head).textContent = 'Changed';
  head.append(make('td'));
  $('.up')?.append(make('td'));
  rows = found = $$('tbody tr:not(.up)');
  $('#sum').classList.toggle('empty', rows.length === 0);
  if (new URL(location.href).searchParams.get('filter')) put(some); // The server has left out what is not wanted.
  else applyFilter(some);
}

function applyFilter(some = AT_FIRST) {
  const word = $('#word').value.toLowerCase();
  found = rows.filter((row) => row.cells[0].textContent.toLowerCase().includes(word));
  put(some);
  const sum = $('#sum');
  sum.dataset.whole ??= sum.textContent;
  sum.textContent = word ? `${found.length} of ${rows.length} shown` : sum.dataset.whole;
  sum.classList.toggle('empty', found.length === 0);
  if (word) say(sum.textContent);
}

async function filter() {
  // What the server has left out cannot be found here.
  const address = new URL(location.href);
  if (address.searchParams.get('filter')) {
    address.searchParams.delete('filter');
    history.replaceState(null, '', address.href);
    await visit(address.href, false);
  }
  applyFilter();
}

// What has the focus, for giving it back to what takes its place.
function focusOf() {
  const { activeElement: element } = document;
  if (!element?.closest('main')) return () => {};
  const row = element.closest('tbody tr');
  const address = row && $('a', row).href;
  const index = row ? rows.indexOf(row) : -1;
  const isButton = element.matches('button');
  return () => {
    const same = rows.find((r) => $('a', r).href === address) ?? rows[Math.min(index, rows.length - 1)];
    if (same) reveal(same);
    (same ? $(isButton ? 'button' : 'a', same) ?? $('a', same) : $('main')).focus();
  };
}

// Shows another directory, or this one anew, without leaving the page: uploads go on.
async function visit(address, push) {
  let page;
  let response;
  try {
    response = await fetch(address, { headers: { Accept: 'text/html' }, cache: 'no-store' });
    page = new DOMParser().parseFromString(await response.text(), 'text/html');
  } catch {
    say('The server cannot be reached.');
    return;
  }
  if (!response.ok || !$('main table', page)) {
    if (push) location.assign(address);
    return;
  }
  const refocus = focusOf();
  const some = push ? AT_FIRST : Math.max(AT_FIRST, $$('tbody tr').length); // What is looked at stays where it is.
  if (push) history.pushState(null, '', response.url);
  document.title = page.title;
  $('header').replaceWith($('header', page));
  $('main').replaceWith($('main', page));
  const form = $('#upload', page);
  if (Boolean(form) !== mayWrite()) {
    if (form) $('#tools').append(form);
    else $('#upload').remove();
    offerWriting();
  }
  if (push) $('#word').value = '';
  takeOver(some);
  if (push) {
    scrollTo(0, 0);
    $('main').focus();
    say(`${$('h1').textContent}: ${$('#sum').textContent}`);
  } else {
    refocus();
  }
}

const refresh = () => visit(location.href, false);

// Whether a link can be followed without leaving: to a listing, in this window.
function staysHere(event, link) {
  return event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey &&
    (link.closest('header, thead, .dir, .up') !== null);
}

document.addEventListener('click', (event) => {
  const menu = event.target.closest('tbody button');
  if (menu) return showDetails(fileOf(menu.closest('tr')));
  const link = event.target.closest('header a, table a');
  if (!link || event.defaultPrevented) return;
  if (staysHere(event, link)) {
    if (!isBusy()) return;
    event.preventDefault();
    visit(link.href, true);
  } else if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const file = fileOf(link.closest('tr'));
    if (/^(image|video|audio)$/.test(file.kind)) {
      event.preventDefault();
      showDetails(file);
    } else if (isBusy()) {
      link.target = '_blank';
    }
  }
});
addEventListener('popstate', () => visit(location.href, false));

document.addEventListener('keydown', (event) => {
  const row = event.target.closest?.('tbody tr');
  if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const all = $$('tbody tr');
    const next = all[all.indexOf(row) + step];
    if (next) ($(event.target.matches('button') ? 'button' : 'a', next) ?? $('a', next)).focus();
    event.preventDefault();
  } else if (mayWrite() && !row.classList.contains('up') && (event.key === 'F2' || event.key === 'Delete')) {
    event.preventDefault();
    if (event.key === 'F2') rename(fileOf(row));
    else remove(fileOf(row));
  }
});

// ---- One file ------------------------------------------------------------------------------------

// The words of a shell for a file's name, whose bytes are those of its address.
function shellQuote(encoded) {
  const name = decode(encoded);
  // eslint-disable-next-line no-control-regex
  if (name !== null && !/[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(name))
    return `'${(name.startsWith('-') ? './' : '') + name.replace(/'/g, "'\\''")}'`;
  const bytes = encoded.replace(/%([0-9A-F]{2})|[^]/gi, (c, hex) => (hex ? `\\x${hex}` : c));
  return `$'${(encoded.startsWith('-') ? './' : '') + bytes}'`;
}

function copy(input, done) {
  input.select();
  // The newer way needs a secure context; this one does not.
  done.textContent = document.execCommand('copy') ? 'Copied' : 'Press Ctrl+C';
  say(done.textContent);
}

async function showText(file, box) {
  try {
    const response = await ask('GET', file.pathname, { Range: 'bytes=0-65535', Accept: '*/*' });
    box.textContent = new TextDecoder().decode(await response.arrayBuffer());
  } catch (error) {
    // 416: there is no first byte of an empty file.
    box.textContent = error.status === 416 ? '' : error.message;
  }
}

function previewOf(file) {
  const common = { className: 'preview', src: file.pathname };
  switch (file.kind) {
    case 'image': return make('img', { ...common, alt: `Preview of ${file.shown}` });
    case 'video': return make('video', { ...common, controls: true, preload: 'metadata' });
    case 'audio': return make('audio', { ...common, controls: true, preload: 'metadata' });
    case 'text': {
      const box = make('pre', { className: 'preview', tabIndex: 0 });
      showText(file, box);
      return box;
    }
    default: return '';
  }
}

// A download that the server keeps account of: with an id of its own, it can break and go on.
function downloadOf(file) {
  const link = make('a', { className: 'button main', download: file.name }, 'Download');
  const line = make('input', { type: 'text', id: 'line', className: 'line', readOnly: true });
  const copied = button('Copy', () => copy(line, copied));
  const take = async () => {
    const id = await ask('GET', '/.uuid', { Accept: 'text/plain' }).then((r) => r.text(), () => '');
    link.href = (id && `/${id}`) + file.pathname;
    line.value = `curl -f -C - -o ${shellQuote(file.last)} '${new URL(link.href).href.replace(/'/g, '%27')}'`;
  };
  link.href = file.pathname;
  // An id is good for one download.
  link.addEventListener('click', () => setTimeout(take, 1000));
  take();
  return [link, make('div', {},
    make('label', { htmlFor: 'line', className: 'field' }, 'In a terminal, as often as it takes:'),
    make('div', { className: 'row' }, line, copied))];
}

function showDetails(file) {
  const row = make('div', { className: 'row' });
  const content = [previewOf(file), make('p', {}, file.facts), row];
  row.append(make('a', { className: 'button', href: file.pathname }, 'Open'));
  if (!file.directory) {
    const [link, line] = downloadOf(file);
    row.append(link);
    content.push(line);
  }
  if (mayWrite())
    row.append(button('Rename…', () => act(rename)), button('Delete…', () => act(remove)));
  const end = make('div', { className: 'row end' });
  const all = found;
  const at = all.indexOf(file.row);
  for (const [text, step] of [['‹ Previous', -1], ['Next ›', 1]])
    if (at >= 0 && all[at + step])
      end.append(button(text, () => act(() => showDetails(fileOf(reveal(all[at + step]))))));
  const close = button('Close', () => dialog.close());
  end.append(close);
  const dialog = openDialog(file.shown, ...content, end);
  close.focus();
  dialog.addEventListener('close', () => {
    // A film that nobody sees need not be fetched.
    const film = $('video, audio', dialog);
    if (film) film.removeAttribute('src');
    film?.load();
    ($('button', file.row) ?? file.link).focus();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.target.matches('input, video, audio, pre')) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && all[at + step]) act(() => showDetails(fileOf(reveal(all[at + step]))));
  });
  function act(what) {
    dialog.addEventListener('close', () => what(file));
    dialog.close();
  }
}

function rename(file) {
  askName(`Rename “${file.shown}”`, 'New name', file.name, 'Rename', async (name) => {
    try {
      await ask('MOVE', file.pathname, { Destination: here() + encode(name), Overwrite: 'F' });
    } catch (error) {
      if (error.status === 412) error.message = 'There is something of that name.';
      throw error;
    }
    await refresh();
    say(`Renamed to ${name}`);
    return () => focusOn(name);
  });
}

function newFolder() {
  askName('New folder', 'Name', '', 'Create', async (name) => {
    try {
      await ask('MKCOL', `${here()}${encode(name)}/`);
    } catch (error) {
      if (error.status === 405) error.message = 'There is something of that name.';
      throw error;
    }
    await refresh();
    say(`Folder ${name} created`);
    return () => focusOn(name);
  });
}

// What is in a directory, and in those within it: what is deepest first.
async function contentsOf(pathname) {
  const { entries } = await (await ask('GET', pathname)).json();
  const all = [];
  for (const { href, type } of entries) {
    const path = pathname + href.slice(2);
    if (type === 'directory') all.push(...await contentsOf(path));
    all.push(path);
  }
  return all;
}

async function remove(file) {
  const question = (text, action) =>
    choose(`Delete “${file.shown}”?`, [make('p', {}, text)], [['Cancel', false], [action, true, 'risky']]);
  if (!await question('It cannot be brought back.', 'Delete')) return;
  try {
    await ask('DELETE', file.pathname).catch(async (error) => {
      if (error.status !== 409 || !file.directory) throw error;
      const paths = await contentsOf(file.pathname);
      const things = paths.length === 1 ? 'one thing' : `${paths.length} things`;
      if (!await question(`There is ${things} in this folder. All of it is deleted, and cannot be brought back.`,
        'Delete all of it')) return;
      for (const path of paths) await ask('DELETE', path);
      await ask('DELETE', file.pathname);
    });
  } catch (error) {
    if (error.status !== 404) await tell(`“${file.shown}” was not deleted`, error.message);
  }
  file.link.focus();
  await refresh();
  say(`${file.shown} deleted`);
}

// ---- Uploads -------------------------------------------------------------------------------------
//
// By the IETF's resumable uploads: PUT creates one at /ID/PATH, PATCH appends a chunk, HEAD says how
// much the server has. What the server needs to go on is in the address, which localStorage keeps until
// the upload is over; what the browser needs is the file, which after a closed tab has to be chosen anew.

const uploads = [];
let clientId = ''; // Of this page.
let sameForAll = ''; // What to do about names that are taken.

const isActive = (u) => /^(waiting|running|broken|asking)$/.test(u.state);
const isBusy = () => uploads.some(isActive);

const keyOf = (path, file) => `${STORE}${path}|${file.size}|${file.lastModified}`;

// Storage may be full, or forbidden: then an upload only survives as long as the page.
function remember(u) {
  try {
    localStorage.setItem(u.key, JSON.stringify({ url: u.url, path: u.path, replace: u.replace, size: u.size,
      time: u.file?.lastModified ?? u.time, heard: Date.now() }));
  } catch { /* As said. */ }
}

function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function forget(u) {
  try {
    localStorage.removeItem(u.key);
  } catch { /* Nothing was kept. */ }
}

function addUpload(directory, name, file) {
  const path = directory + encode(name);
  const key = keyOf(path, file);
  const known = uploads.find((u) => u.key === key && u.state !== 'done');
  if (known) {
    if (known.state !== 'lost') return;
    known.file = file;
    change(known, 'waiting');
    return;
  }
  const kept = recall(key);
  const u = { key, path, name, file, size: file.size, url: kept?.url ?? '', replace: kept?.replace ?? false,
    offset: 0, sent: 0, tries: 0, samples: [], state: 'new' };
  uploads.push(u);
  change(u, 'waiting');
}

function change(u, state, fault = '') {
  u.state = state;
  u.fault = fault;
  show(u);
  clearTimeout(u.timer);
  if (state !== 'running') u.samples = [];
  if (state === 'done' || state === 'cancelled') forget(u);
  if (state === 'cancelled') uploads.splice(uploads.indexOf(u), 1);
  if (state === 'done' || state === 'failed') say(`${u.name}: ${stateText(u)}`);
  setTimeout(pump);
}

function pump() {
  for (const u of uploads) {
    if (uploads.filter((v) => v.state === 'running').length >= AT_ONCE) break;
    if (u.state === 'waiting') run(u);
  }
  showSum();
}

// A problem that is over after a while, as opposed to one that would be the same again.
class Broken extends Error {}

// One request, of which this file's progress is seen. Rejects with Broken when no answer came.
function send(u, method, url, headers, body) {
  if (u.state !== 'running') return Promise.reject(new Broken('It was called off.'));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const from = u.offset;
    let stalled;
    const moved = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALL_MS);
    };
    u.request = request;
    request.open(method, url);
    request.setRequestHeader('Accept', 'application/json');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (body) request.upload.onprogress = (event) => {
      moved();
      progress(u, from + event.loaded);
    };
    request.onloadend = () => {
      clearTimeout(stalled);
      u.request = null;
      const { status } = request;
      if (status === 0) reject(new Broken('The connection is lost.'));
      else if (/^(408|423|429|5(?!07)..)$/.test(status)) reject(new Broken('The server is busy.'));
      else resolve(request);
    };
    moved();
    request.send(body);
  });
}

function progress(u, sent) {
  const now = performance.now();
  u.sent = sent;
  u.samples.push([now, sent]);
  while (u.samples.length > 2 && now - u.samples[0][0] > 5000) u.samples.shift();
  if (!u.stored || now - u.stored > 3000) {
    u.stored = now;
    if (u.url) remember(u);
  }
  show(u);
}

function rateOf(u) {
  const [first, last] = [u.samples[0], u.samples.at(-1)];
  return u.samples.length > 1 && last[0] > first[0] ? Math.max(0, 1000 * (last[1] - first[1]) / (last[0] - first[0])) : 0;
}

// The server's words for a request that failed for good.
function refusal(request) {
  try {
    return new Error(JSON.parse(request.response).message);
  } catch {
    return new Error(`${request.status} ${request.statusText}`);
  }
}

// Notes how much the server has. True: the file is there.
function settle(u, request) {
  const offset = request.getResponseHeader('Upload-Offset');
  if (offset !== null) u.offset = u.sent = Number(offset);
  return request.getResponseHeader('Upload-Complete') === '?1';
}

// The next piece, of which nothing was read before: a file that has vanished or changed says so here.
async function pieceOf(u, length) {
  const piece = u.file.slice(u.offset, u.offset + length);
  try {
    await piece.slice(0, 1).arrayBuffer();
  } catch {
    throw new Error('The file cannot be read. Has it changed since it was chosen?');
  }
  return piece;
}

async function create(u) {
  clientId ||= await ask('GET', '/.uuid', { Accept: 'text/plain' }).then((r) => r.text(), (error) => {
    throw error.status === 0 || error.status >= 500 ? new Broken(error.message) : error;
  });
  const whole = u.size <= CHUNK_LEAST;
  const url = `/${clientId}${u.path}`;
  const headers = { 'Upload-Complete': whole ? '?1' : '?0', 'Upload-Length': u.size };
  if (!u.replace) headers['If-None-Match'] = '*';
  u.offset = 0;
  u.url = url;
  const request = await send(u, 'PUT', url, headers, whole ? await pieceOf(u, u.size) : null);
  if (request.status >= 300) {
    u.url = '';
    throw request.status === 412 ? Object.assign(refusal(request), { taken: true }) : refusal(request);
  }
  if (!whole) remember(u);
  return settle(u, request);
}

async function locate(u) {
  const request = await send(u, 'HEAD', u.url, {});
  if (request.status < 300) return settle(u, request);
  if (request.status !== 404 && request.status !== 410) throw new Error(`The server says ${request.status}.`);
  u.url = '';
  return create(u);
}

async function append(u) {
  const length = Math.min(CHUNK_MOST, Math.max(CHUNK_LEAST, rateOf(u) * CHUNK_SECONDS));
  const piece = await pieceOf(u, Math.floor(length));
  const last = u.offset + piece.size === u.size;
  const request = await send(u, 'PATCH', u.url, {
    'Content-Type': 'application/partial-upload',
    'Upload-Offset': u.offset,
    'Upload-Complete': last ? '?1' : '?0',
  }, piece);
  if (request.status < 300) {
    u.tries = 0;
    return settle(u, request);
  }
  if (request.status === 412) throw Object.assign(refusal(request), { taken: true });
  if ([404, 409, 410].includes(request.status)) throw new Broken('The server was elsewhere.');
  throw refusal(request);
}

async function run(u) {
  change(u, 'running');
  try {
    let over = u.url ? await locate(u) : await create(u);
    while (!over && u.state === 'running') over = await append(u);
    if (!over) return;
    u.sent = u.size;
    change(u, 'done');
    refreshSoon(u);
  } catch (error) {
    if (u.state !== 'running') return; // It was paused, or called off.
    if (error.taken) return taken(u);
    if (!(error instanceof Broken)) return change(u, 'failed', error.message);
    const delay = Math.min(15, 2 ** u.tries++);
    change(u, 'broken', `${error.message} Trying again in ${delay} s.`);
    u.timer = setTimeout(() => u.state === 'broken' && change(u, 'waiting'), delay * 1000);
  }
}

// "a (2).txt", "a (3).txt"
function numbered(path) {
  const [, stem, number, extension] = path.match(/^(.*?)(?:%20\((\d+)\))?((?:\.[^./]*)?)$/);
  return `${stem}%20(${Number(number || 1) + 1})${extension}`;
}

// There is a file of that name. One question at a time, which may answer for the others.
let asking = Promise.resolve();
function taken(u) {
  change(u, 'asking');
  asking = asking.then(async () => {
    if (u.state !== 'asking') return;
    const all = make('input', { type: 'checkbox', id: 'all' });
    const answer = u.keepBoth ? 'both' : sameForAll || await choose(`There is a file “${u.name}” already`,
      [make('p', {}, 'Shall the new one take its place?'), make('label', {}, all, 'The same for all others')],
      [['Skip', 'skip'], ['Keep both', 'both'], ['Replace', 'replace', 'risky']]);
    if (all.checked) sameForAll = answer ?? 'skip';
    forget(u);
    u.url = '';
    if (answer === 'replace') u.replace = true;
    if (answer === 'both') {
      u.keepBoth = true;
      u.path = numbered(u.path);
      u.name = decode(u.path.replace(/.*\//, ''));
      u.key = keyOf(u.path, u.file);
    }
    change(u, answer === 'replace' || answer === 'both' ? 'waiting' : 'cancelled');
  });
}

const pause = (u) => {
  change(u, 'paused');
  u.request?.abort();
};
const resume = (u) => {
  u.tries = 0;
  change(u, 'waiting');
};
async function cancel(u) {
  const { url } = u;
  change(u, 'cancelled');
  u.request?.abort();
  // The server may still be busy with what was on its way.
  for (const ms of url ? [0, 300, 1000, 3000] : []) {
    await wait(ms);
    try {
      await ask('DELETE', url);
    } catch (error) {
      if (error.status === 409 || error.status === 503) continue;
    }
    return;
  }
}

// After a file has come the listing is shown anew, but not after each of a thousand.
let refreshing = 0;
function refreshSoon(u) {
  if (!u.path.startsWith(here()) || refreshing) return;
  refreshing = setTimeout(() => {
    refreshing = 0;
    // A dialog's file must stay what it is.
    if ($('dialog')) refreshSoon(u);
    else refresh();
  }, 700);
}

// ---- The panel of the uploads --------------------------------------------------------------------

const panel = make('section', { id: 'uploads', hidden: true },
  make('div', { className: 'head' }, make('h2', { id: 'uploads-title' }, 'Uploads'),
    button('Pause all', () => uploads.filter(isActive).forEach(pause), 'pause-all'),
    button('Resume all', () => uploads.filter((u) => /paused|failed/.test(u.state)).forEach(resume), 'resume-all'),
    button('Clear', () => {
      for (const u of uploads.filter((v) => v.state === 'done')) {
        u.item?.remove();
        uploads.splice(uploads.indexOf(u), 1);
      }
      showSum();
      $('main').focus();
    }, 'clear')),
  make('ul'));
panel.setAttribute('aria-labelledby', 'uploads-title');

const percent = (u) => (u.size ? Math.floor(100 * u.sent / u.size) : u.state === 'done' ? 100 : 0);

function stateText(u) {
  switch (u.state) {
    case 'running': {
      const rate = rateOf(u);
      const left = rate ? ` · ${sizeText(rate)}/s · ${durationText((u.size - u.sent) / rate)} left` : '';
      return `${percent(u)} % of ${sizeText(u.size)}${left}`;
    }
    case 'done': return `Done, ${sizeText(u.size)}`;
    case 'paused': return `Paused at ${percent(u)} %`;
    case 'lost': return `Stopped at ${percent(u)} %. Choose the same file to go on.`;
    case 'asking': return 'The name is taken';
    case 'broken':
    case 'failed': return u.fault;
    default: return 'Waiting';
  }
}

const BUTTONS = {
  waiting: ['Pause', 'Cancel'], running: ['Pause', 'Cancel'], broken: ['Retry', 'Cancel'], failed: ['Retry', 'Cancel'],
  paused: ['Resume', 'Cancel'], lost: ['Choose file', 'Discard'], asking: [], done: [],
};
const DEEDS = { Pause: pause, Resume: resume, Retry: resume, Cancel: cancel, Discard: cancel, 'Choose file': chooseAgain };

// A thousand files that wait are a number; a file is shown once it is its turn.
function show(u) {
  if (u.state === 'cancelled') {
    if (u.item?.contains(document.activeElement)) $('h2', panel).tabIndex = -1, $('h2', panel).focus();
    u.item?.remove();
    return;
  }
  if (!u.item) {
    if (u.state === 'waiting' && $$('li', panel).length > 20) return;
    u.item = make('li', {}, make('span', { className: 'name' }), make('progress', { max: 100 }),
      make('span', { className: 'state' }), make('span', { className: 'buttons' }));
    $('ul', panel).append(u.item);
    // Those that are done make room for others.
    const done = uploads.filter((v) => v.state === 'done' && v.item);
    if (done.length > 20) done[0].item.remove(), done[0].item = null;
  }
  const [name, bar, state, buttons] = u.item.children;
  name.textContent = u.name;
  bar.value = percent(u);
  bar.setAttribute('aria-label', `${u.name} uploaded`);
  state.textContent = stateText(u);
  state.className = `state ${{ failed: 'bad', broken: 'bad', done: 'good' }[u.state] ?? ''}`;
  if (u.item.dataset.state === u.state) return;
  u.item.dataset.state = u.state;
  const focused = buttons.contains(document.activeElement) && [...buttons.children].indexOf(document.activeElement);
  buttons.replaceChildren(...BUTTONS[u.state].map((text) => {
    const b = button(text, () => DEEDS[text](u));
    b.setAttribute('aria-label', `${text}: ${u.name}`);
    return b;
  }));
  if (focused !== false) (buttons.children[focused] ?? panel.querySelector('button:not([hidden])'))?.focus();
}

function showSum() {
  const count = (state) => uploads.filter((u) => u.state === state).length;
  const words = [['running', 'uploading'], ['waiting', 'waiting'], ['broken', 'broken'], ['paused', 'paused'],
    ['failed', 'failed'], ['lost', 'stopped'], ['done', 'done']]
    .filter(([state]) => count(state)).map(([state, word]) => `${count(state)} ${word}`);
  panel.hidden = uploads.length === 0;
  $('h2', panel).textContent = `Uploads: ${words.join(', ') || 'none'}`;
  $('.pause-all', panel).hidden = uploads.filter(isActive).length < 2;
  $('.resume-all', panel).hidden = count('paused') + count('failed') < 2;
  $('.clear', panel).hidden = count('done') === 0;
}

// ---- Uploads of a page that is gone --------------------------------------------------------------

function chooseAgain(u) {
  const input = make('input', { type: 'file' });
  input.onchange = () => {
    const file = input.files[0];
    if (file.size !== u.size || file.lastModified !== u.time) {
      tell('That is another file', `“${file.name}” is not the file of which a part has come: its size or its time differs. ` +
        'To send it from its beginning, use “Upload files”.');
      return;
    }
    u.file = file;
    change(u, 'waiting');
  };
  input.click();
}

async function findLost() {
  const stored = [];
  try {
    stored.push(...Object.keys(localStorage).filter((key) => key.startsWith(STORE)));
  } catch { /* No storage, nothing lost. */ }
  let later = false;
  for (const key of stored) {
    const kept = recall(key);
    if (!kept || uploads.some((u) => u.key === key)) continue;
    if (Date.now() - kept.heard < STALE_MS) {
      later = true; // Another tab may be at it.
      continue;
    }
    const u = { ...kept, key, name: decode(kept.path.replace(/.*\//, '')), offset: 0, sent: 0, tries: 0, samples: [] };
    try {
      const response = await ask('HEAD', kept.url);
      if (response.headers.get('Upload-Complete') === '?1') {
        forget(u);
        continue;
      }
      u.sent = u.offset = Number(response.headers.get('Upload-Offset'));
    } catch (error) {
      if (error.status === 404 || error.status === 410) forget(u);
      continue;
    }
    uploads.push(u);
    change(u, 'lost');
  }
  if (later) setTimeout(findLost, STALE_MS + 1000);
}

// A tab that is closed says so; one that crashes is noticed later.
addEventListener('pagehide', () => {
  for (const u of uploads) {
    const kept = isActive(u) || u.state === 'paused' || u.state === 'failed' ? recall(u.key) : null;
    if (kept) localStorage.setItem(u.key, JSON.stringify({ ...kept, heard: 0 }));
  }
});
addEventListener('beforeunload', (event) => {
  if (isBusy()) event.preventDefault();
});
addEventListener('online', () => uploads.filter((u) => u.state === 'broken').forEach(resume));

// ---- What is dropped and chosen ------------------------------------------------------------------

function addFiles(directory, files) {
  sameForAll = '';
  for (const file of files) addUpload(directory, file.webkitRelativePath || file.name, file);
}

// All files below a dropped thing; a folder with nothing in it is made here.
async function walk(directory, entry, prefix) {
  const name = prefix + entry.name;
  if (entry.isFile) {
    addUpload(directory, name, await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  let count = 0;
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    count += some.length;
    for (const child of some) await walk(directory, child, `${name}/`);
  }
  if (count > 0) return;
  let path = directory;
  for (const part of name.split('/')) {
    path += `${encode(part)}/`;
    await ask('MKCOL', path).catch((error) => {
      if (error.status !== 405) throw error;
    });
  }
  refresh();
}

const targetRow = (event) => event.target.closest?.('tbody tr.dir');

function aim(row) {
  $$('.target').forEach((r) => r !== row && r.classList.remove('target'));
  row?.classList.add('target');
}

document.addEventListener('dragover', (event) => {
  if (!mayWrite() || !event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'copy';
  document.body.classList.add('dropping');
  aim(targetRow(event));
});
document.addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) document.body.classList.remove('dropping');
});
document.addEventListener('drop', async (event) => {
  document.body.classList.remove('dropping');
  const row = targetRow(event);
  aim(null);
  if (!mayWrite() || !event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  sameForAll = '';
  const directory = row ? fileOf(row).pathname : here();
  // Both are gone after the first await.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
  const files = [...event.dataTransfer.files];
  try {
    if (entries.every(Boolean)) for (const entry of entries) await walk(directory, entry, '');
    else addFiles(directory, files);
  } catch (error) {
    tell('Not all of it could be read', error.message);
  }
});

// ---- The beginning -------------------------------------------------------------------------------

// Buttons in place of the form that works without script.
function offerWriting() {
  $('#tools .actions')?.remove();
  const form = $('#upload');
  if (!form) return;
  form.hidden = true;
  const pick = (folder) => {
    const input = make('input', { type: 'file', multiple: true, webkitdirectory: folder, id: folder ? 'pick-folder' : 'pick-files', hidden: true });
    input.onchange = () => {
      addFiles(here(), input.files);
      input.value = '';
    };
    return input;
  };
  const files = pick(false);
  const folder = pick(true);
  $('#tools').append(make('div', { className: 'actions' }, files, folder,
    button('Upload files', () => files.click(), 'main'),
    button('Upload folder', () => folder.click()),
    button('New folder', newFolder)));
}

function begin() {
  $('#filter').addEventListener('submit', (event) => event.preventDefault());
  $('#filter button').hidden = true;
  $('#word').addEventListener('input', filter);
  document.body.append(panel, live);
  offerWriting();
  // Who comes back wants to be where they were, which may be far below.
  takeOver(/back|reload/.test(performance.getEntriesByType('navigation')[0]?.type) ? Infinity : AT_FIRST);
  document.documentElement.classList.remove('coming');
  if (mayWrite()) findLost();
}

// This runs before the rows come, so that the browser need not lay out all of them first.
document.documentElement.classList.add('coming');
document.addEventListener('DOMContentLoaded', begin);
