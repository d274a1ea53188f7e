// Visits the site with Firefox as a person would: every page, the directory listings, the film, the
// downloads and the forms.
//
//   node site.mjs OUT [URL]     OUT holds node_modules and receives the pictures. Without a URL it
//                               starts $HTTPD. $FIREFOX is the browser. tests/browser/run sets these.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { visitForeign } from './foreign.mjs';
import { startServer } from './server.mjs';
import { done, group, is, none, note, ok, skip } from './tap.mjs';

const [out, running] = process.argv.slice(2);
const puppeteer = createRequire(`${out}/`)('puppeteer-core');
const www = new URL('../../www/', import.meta.url);

const PAGES = ['index.html', 'page_one.html', 'page_two.html', 'page_three.html', 'page_four.html'];
const DESKTOP = { width: 1280, height: 900 };
const TELEPHONE = { width: 390, height: 844 };
const DARK = { 'ui.systemUsesDarkTheme': 1 };

// RFC 9110 8.3: what a file is must be said by the server, for nosniff forbids to guess.
const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'text/old.htm': 'text/html; charset=utf-8',
  'text/readme.txt': 'text/plain; charset=utf-8',
  'site.css': 'text/css; charset=utf-8',
  'users.js': 'text/javascript; charset=utf-8',
  'img/dawn.jpeg': 'image/jpeg',
  'img/noon.jpg': 'image/jpeg',
  'img/night.png': 'image/png',
  'img/queue.svg': 'image/svg+xml',
  'favicon.ico': 'image/vnd.microsoft.icon',
  'video/day.mp4': 'video/mp4',
  'pdf/httpd.pdf': 'application/pdf',
  'Programa/sample.msi': 'application/x-msi',
  'files/readings.csv': 'text/csv; charset=utf-8',
  'files/events.json': 'application/json',
  'files/tune.wav': 'audio/wav',
  'bigfile.bin': 'application/octet-stream',
};
// Names for one type that are all in use; the first is ours.
const SAME_TYPE = {
  'audio/x-wav': 'audio/wav',
  'image/x-icon': 'image/vnd.microsoft.icon',
  'application/x-ole-storage': 'application/x-msi',
  'application/x-msdownload': 'application/x-msi',
};

const SHORT = {
  page_one: 'page_one.html',
  page_two: 'page_two.html',
  page_three: 'page_three.html',
  page_four: 'page_four.html',
  image_user_one: 'image_user_one.svg',
  image_user_two: 'image_user_two.svg',
  bigfile: 'bigfile.bin',
};

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const local = (path) => readFile(new URL(encodeURI(path), www));
const picture = (name) => `${out}/${name}.png`;

function launch(preferences = {}) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX,
    headless: true,
    // Nothing but the server under test may be asked, and films play without a click.
    extraPrefsFirefox: { 'media.autoplay.default': 0, 'network.proxy.type': 0, ...preferences },
  });
}

// A page that remembers what went wrong on it, and what was answered.
async function open(browser, viewport = DESKTOP) {
  const page = await browser.newPage();
  await page.setViewport(viewport);
  page.faults = [];
  page.answers = [];
  page.on('requestfailed', (request) =>
    page.faults.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob|resource|chrome|about):/.test(request.url()))
      page.faults.push(`asked elsewhere: ${request.url()}`);
  });
  page.on('response', (response) => {
    page.answers.push({ url: response.url(), status: response.status() });
    if (response.status() >= 400) page.faults.push(`${response.status()} ${response.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) page.faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => page.faults.push(`script: ${error.message}`));
  return page;
}

// Fetches inside the page, as its scripts would: what the browser does to the answer is included.
function fetchText(page, address, options = {}) {
  return page.evaluate(async (a, o) => {
    const response = await fetch(a, { cache: 'no-store', ...o });
    return {
      status: response.status,
      type: response.headers.get('Content-Type'),
      fields: Object.fromEntries(response.headers),
      text: await response.text(),
    };
  }, new URL(address, url).href, options);
}

function fetchSum(page, address, options = {}) {
  return page.evaluate(async (a, o) => {
    const response = await fetch(a, { cache: 'no-store', ...o });
    const bytes = await response.arrayBuffer();
    const sum = await crypto.subtle.digest('SHA-256', bytes);
    return {
      status: response.status,
      type: response.headers.get('Content-Type'),
      fields: Object.fromEntries(response.headers),
      length: bytes.byteLength,
      sha256: Array.from(new Uint8Array(sum), (b) => b.toString(16).padStart(2, '0')).join(''),
    };
  }, new URL(address, url).href, options);
}

async function visitPages(browser, look) {
  for (const [device, viewport] of [['desktop', DESKTOP], ['telephone', TELEPHONE]]) {
    for (const name of PAGES) {
      const page = await open(browser, viewport);
      const response = await page.goto(url + name, { waitUntil: 'load' });
      const shape = await page.evaluate(() => ({
        broken: [...document.images].filter((i) => !i.naturalWidth).map((i) => i.src),
        tooWide: document.documentElement.scrollWidth > innerWidth,
      }));
      // The second visit may be answered from what the browser kept of the first.
      ok([200, 304].includes(response.status()), `${name}, ${device}, ${look}: 200 or 304`,
        response.status());
      none([...page.faults, ...shape.broken], `${name}, ${device}, ${look}: loads without a fault`);
      ok(!shape.tooWide, `${name}, ${device}, ${look}: nothing sticks out`);
      const shot = picture(`${name.replace('.html', '')}-${device}-${look}`);
      await page.screenshot({ path: shot, fullPage: true });
      await page.close();
    }
  }
}

async function followEveryLink(page) {
  const seen = new Set();
  const faults = [];
  for (const name of PAGES) {
    await page.goto(url + name);
    const links = await page.$$eval('[href], [src]', (all) => all.map((e) => e.href || e.src));
    for (const link of links) seen.add(link.replace(/#.*/, ''));
  }
  for (const link of seen) {
    if (!link.startsWith(url)) faults.push(`leads elsewhere: ${link}`);
    else {
      const { status } = await fetchSum(page, link);
      if (status !== 200) faults.push(`${status} ${link}`);
    }
  }
  ok(seen.size > 30, `the pages hold ${seen.size} links`);
  none(faults, 'every link of every page answers 200');
}

async function checkTypes(page) {
  const faults = [];
  for (const [path, wanted] of Object.entries(TYPES)) {
    const { status, type, length, sha256: sum } = await fetchSum(page, path);
    if (status !== 200) faults.push(`${path}: ${status}`);
    else if ((SAME_TYPE[type] ?? type)?.toLowerCase() !== wanted) faults.push(`${path}: ${type}`);
    const bytes = await local(path);
    if (length !== bytes.length || sum !== sha256(bytes)) faults.push(`${path}: other bytes`);
  }
  none(faults, 'files of every kind arrive whole, with the right type');
}

async function checkShortAddresses(page) {
  const faults = [];
  for (const [name, file] of Object.entries(SHORT)) {
    const short = await fetchSum(page, name);
    const bytes = await local(file);
    if (short.status !== 200) faults.push(`/${name}: ${short.status}`);
    else if (short.sha256 !== sha256(bytes)) faults.push(`/${name} is not ${file}`);
  }
  none(faults, 'a name without extension finds its file');
  await page.goto(`${url}page_one`);
  is(await page.title(), 'Page one · httpd', '/page_one is shown as a page');
  await page.goto(`${url}image_user_one`);
  ok(await page.$('svg, img'), '/image_user_one is shown as a picture');
}

async function clickLinkTo(page, address) {
  const link = await page.evaluateHandle(
    (wanted) => [...document.links].find((a) => a.href === wanted), address);
  await Promise.all([page.waitForNavigation(), link.asElement().click()]);
}

async function walkListing(page) {
  const response = await page.goto(`${url}docs`);
  is(page.url(), `${url}docs/`, 'a missing slash is added');
  is(response.status(), 200, 'the listing of docs/ answers 200');
  await page.screenshot({ path: picture('listing-desktop'), fullPage: true });
  await page.setViewport(TELEPHONE);
  ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    'it fits a telephone');
  await page.screenshot({ path: picture('listing-telephone'), fullPage: true });
  await page.setViewport(DESKTOP);

  for (const step of ['a/', 'a/b/', 'a/b/c/', 'a/b/c/three.txt'])
    await clickLinkTo(page, `${url}docs/${step}`);
  is(page.url(), `${url}docs/a/b/c/three.txt`, 'links lead down the tree');
  const text = await page.$eval('body', (body) => body.textContent);
  ok(text.includes('the end of the tree'), 'and the file at its end is shown', text);
  await page.goto(`${url}docs/a/b/c/`);
  const parents = await page.$$eval('a', (all) => all.map((a) => a.href));
  ok(parents.includes(`${url}docs/a/b/`), 'a listing links to its parent', ...parents);
}

async function readAwkwardNames(page) {
  const names = ['100%.txt', 'README.txt', 'a & b.txt', 'c++.txt', 'hash#tag.txt', "it's.txt",
    'ñandú.txt'];
  await page.goto(`${url}docs/names/`);
  const links = await page.$$eval('a', (all) => all.map((a) => [a.textContent.trim(), a.href]));
  const faults = [];
  for (const name of names) {
    const link = links.find(([text]) => text === name);
    if (!link) faults.push(`${name} is not listed under its name`);
    else {
      const { status, text } = await fetchText(page, link[1]);
      const wanted = await readFile(new URL(`docs/names/${encodeURIComponent(name)}`, www), 'utf8');
      if (status !== 200 || text !== wanted) faults.push(`${name}: ${status} at ${link[1]}`);
    }
  }
  none(faults, 'awkward names are listed as they are, and their links work');
  const json = await fetchText(page, 'docs/names/', { headers: { Accept: 'application/json' } });
  is(json.type?.split(';')[0], 'application/json', 'the listing is JSON for who asks for it');
  const list = JSON.stringify(JSON.parse(json.text));
  none(names.filter((name) => !list.includes(JSON.stringify(name))), 'and holds the same names');
}

// A bar along the bottom of the film is white up to the part played: the frame itself tells whether
// a seek came to the right place.
async function playFilm(page) {
  await page.goto(`${url}page_two.html`);
  const film = await page.evaluate(async () => {
    const video = document.querySelector('#film');
    const happened = (event) => new Promise((resolve, reject) => {
      video.addEventListener(event, resolve, { once: true });
      video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
      setTimeout(() => reject(new Error(`no ${event} in 20 s`)), 20000);
    });
    const shownPart = () => {
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0);
      const row = context.getImageData(0, canvas.height - 2, canvas.width, 1).data;
      let white = 0;
      for (let x = 0; x < canvas.width; x++) if (row[4 * x + 1] > 128) white++;
      return white / canvas.width;
    };
    const seek = async (time) => {
      const seeked = happened('seeked');
      video.currentTime = time;
      await seeked;
      return shownPart();
    };
    // A new address, so that the film is asked for and does not come from the browser's cache.
    const loaded = happened('loadedmetadata');
    video.src = 'video/day.mp4?anew';
    await loaded;
    const result = { duration: video.duration, size: `${video.videoWidth}x${video.videoHeight}` };
    result.late = await seek(6);
    result.early = await seek(2);
    const moved = happened('timeupdate');
    await video.play();
    await moved;
    await new Promise((resolve) => setTimeout(resolve, 700));
    video.pause();
    result.played = video.currentTime;
    await seek(5);
    return result;
  });
  ok(Math.abs(film.duration - 8) < 0.1, 'the film lasts eight seconds', film.duration);
  is(film.size, '640x360', 'it is shown in its size');
  ok(Math.abs(film.late - 0.75) < 0.03, 'a seek to 6 s shows that frame', film.late);
  ok(Math.abs(film.early - 0.25) < 0.03, 'a seek back to 2 s too', film.early);
  ok(film.played > 2.2, 'it plays on from there', film.played);
  const statuses = page.answers.filter((a) => a.url.endsWith('?anew')).map((a) => a.status);
  ok(statuses.length > 0 && statuses.every((s) => s === 206), 'Firefox asked for ranges: 206',
    `statuses: ${statuses}`);
  await page.screenshot({ path: picture('film'), fullPage: true });
}

async function checkRanges(page) {
  const film = await local('video/day.mp4');
  const range = (value) => ({ headers: { Range: value } });
  const part = await fetchSum(page, 'video/day.mp4', range('bytes=1000-50999'));
  is(part.status, 206, 'a range of the film answers 206');
  is(part.fields['content-range'], `bytes 1000-50999/${film.length}`, 'with its Content-Range');
  is(part.sha256, sha256(film.subarray(1000, 51000)), 'and exactly those bytes');
  const line = await fetchText(page, 'bigfile', range('bytes=-16'));
  is(line.text, 'offset 000ffff0\n', 'the last 16 bytes of /bigfile');
  const past = await fetchText(page, 'bigfile', range('bytes=1048576-'));
  is(past.status, 416, 'a range past the end answers 416');
}

async function checkValidators(page) {
  const first = await fetchText(page, 'text/readme.txt');
  const { etag, 'last-modified': modified } = first.fields;
  ok(etag, 'a file has an ETag');
  const fields = [['If-None-Match', etag], ['If-Modified-Since', modified]];
  for (const [name, value] of fields) {
    const again = await fetchText(page, 'text/readme.txt', { headers: { [name]: value } });
    is(again.status, 304, `${name}: 304 when nothing has changed`);
  }
}

async function checkCharset(page) {
  await page.goto(`${url}text/readme.txt`);
  const shown = await page.evaluate(() => [document.characterSet, document.body.textContent]);
  is(shown[0], 'UTF-8', 'a text file is read as UTF-8');
  ok(shown[1].includes('¡Qué calor') && shown[1].includes('日本語'), 'and its letters come out right');
}

async function checkErrorPage(page) {
  const response = await page.goto(`${url}no/such/page`);
  is(response.status(), 404, 'a missing page answers 404');
  const text = await page.$eval('body', (body) => body.textContent);
  ok(/not found/i.test(text), 'and says so in words', text);
  await page.screenshot({ path: picture('not-found') });
}

async function showPdf(page) {
  await page.goto(`${url}pdf/httpd.pdf`, { waitUntil: 'load' });
  await page.waitForSelector('.textLayer span', { timeout: 20000 });
  const text = await page.$eval('.textLayer', (layer) => layer.textContent);
  ok(text.includes('Serve a directory'), 'the PDF is shown with its text', text);
  await page.screenshot({ path: picture('pdf') });
}

async function fetchMany(page, count) {
  const faults = await page.evaluate(async (base, n) => {
    const files = ['index.html', 'site.css', 'img/night.png', 'docs/a/one.txt', 'files/tune.wav'];
    const jobs = Array.from({ length: n }, async (_, i) => {
      const address = `${base}${files[i % files.length]}?${i}`;
      const response = await fetch(address, { cache: 'no-store' });
      const bytes = await response.arrayBuffer();
      const length = response.headers.get('Content-Length');
      const whole = response.status === 200 && (!length || Number(length) === bytes.byteLength);
      return whole ? '' : `${response.status} ${address}`;
    });
    return (await Promise.all(jobs)).filter(Boolean);
  }, url, count);
  none(faults, `${count} requests at once are all answered`);
}

// What a server can take it says itself (RFC 9110 9.3.7); one that only reads is no failure here.
async function takesPost(page) {
  const { fields } = await fetchText(page, 'createUser/', { method: 'OPTIONS' });
  return /\bPOST\b/.test(fields.allow);
}

async function createUser(page) {
  if (!(await takesPost(page))) return skip('create a user', 'Allow of createUser/ has no POST');
  const name = 'José "Ñandú" <Pérez>';
  await page.goto(`${url}index.html`);
  await page.type('#nombre', name);
  await page.click('#user button');
  await page.waitForSelector('#created:is(.good, .bad)');
  const said = await page.$eval('#created', (output) => output.textContent);
  const link = await page.$eval('#created', (output) => output.querySelector('a')?.href);
  if (!ok(link?.startsWith(`${url}createUser/`), 'a user is created at an address of its own', said))
    return;
  const { text } = await fetchText(page, link);
  is(text, JSON.stringify({ Nombre: name }), 'and read back as it was sent');
  await page.screenshot({ path: picture('user-created'), fullPage: true });

  // submit() passes by the handlers: the browser sends what it would send without script.
  await page.type('#nombre', name);
  const [response] = await Promise.all([
    page.waitForNavigation(),
    page.$eval('#user', (form) => form.submit()),
  ]);
  is(response.status(), 201, 'the same form works without script');
}

async function uploadFile(page) {
  if (!(await takesPost(page))) return skip('upload a file', 'Allow of createUser/ has no POST');
  const body = 'Uploaded by a form.\n';
  await writeFile(`${out}/upload.txt`, body);
  await page.goto(`${url}index.html`);
  const input = await page.$('#file');
  await input.uploadFile(`${out}/upload.txt`);
  const [response] = await Promise.all([
    page.waitForNavigation(),
    page.click('form:not(#user) button'),
  ]);
  if (!is(response.status(), 201, 'a file sent by a plain form is created')) return;
  await page.screenshot({ path: picture('uploaded') });
  const location = response.headers().location;
  note(`stored as ${location}`);
  const { text } = await fetchText(page, location);
  is(text, body, 'and read back without the wrapping of the form');
}

// Three files in one form: one of 50 MB, and one whose name tries to be a path and markup. A person
// can choose no such name, but a script can make one.
async function uploadThree(page) {
  if (!(await takesPost(page))) return skip('upload three', 'Allow of createUser/ has no POST');
  await page.goto(`${url}index.html`);
  const [response] = await Promise.all([
    page.waitForNavigation(),
    page.$eval('#file', (input) => {
      const large = new Uint32Array(12500000).map((_, i) => i);
      const files = new DataTransfer();
      files.items.add(new File(['one'], 'one.txt'));
      files.items.add(new File([large], 'fifty.bin'));
      files.items.add(new File(['three'], '../../x<b>.txt'));
      input.multiple = true;
      input.files = files.files;
      input.form.submit();
    }),
  ]);
  if (!is(response.status(), 201, 'three files of one form are created')) return;
  await page.screenshot({ path: picture('uploaded-three') });
  const links = await page.$$eval('li a', (all) => all.map((a) => a.getAttribute('href')));
  const names = ['one.txt', 'fifty.bin', 'x%3Cb%3E.txt'];
  is(links.join(' '), names.map((name) => `/createUser/${name}`).join(' '), 'the page lists them');
  is((await fetchText(page, links[2])).text, 'three', 'the odd name is one name, in its directory');
  const wrong = await page.evaluate(async (address) => {
    const words = new Uint32Array(await (await fetch(address)).arrayBuffer());
    return words.length === 12500000 ? words.findIndex((word, i) => word !== i) : words.length;
  }, links[1]);
  is(wrong, -1, 'and 50 MB have come as they were');
}

// Each gets a page of its own, on which nothing has happened yet.
const VISITS = [
  ['links', followEveryLink],
  ['types', checkTypes],
  ['short addresses', checkShortAddresses],
  ['listing', walkListing],
  ['awkward names', readAwkwardNames],
  ['film', playFilm],
  ['ranges', checkRanges],
  ['validators', checkValidators],
  ['charset', checkCharset],
  ['error page', checkErrorPage],
  ['pdf', showPdf],
  ['many requests', (page) => fetchMany(page, 300)],
  ['create user', createUser],
  ['upload', uploadFile],
  ['upload three', uploadThree],
];

async function visitSite() {
  const light = await launch();
  await group('pages, light', () => visitPages(light, 'light'));
  for (const [what, visit] of VISITS) {
    await group(what, async () => {
      const page = await open(light);
      await page.goto(`${url}index.html`);
      await visit(page);
      await page.close();
    });
  }
  await light.close();

  const dark = await launch(DARK);
  await group('pages, dark', () => visitPages(dark, 'dark'));
  await dark.close();
}

let server;
let url = running;
await group('the server starts', async () => {
  server = running ? undefined : await startServer(process.env.HTTPD, www, out);
  url ??= server.url;
});
if (url) await group('the site', visitSite);
if (server) await group('pages of others', () => visitForeign(launch, url));
if (server) {
  is(await server.stop(), 0, 'the server has borne it all, and stops when told');
  ok(!/sanitizer|runtime error/i.test(await server.said()), 'and had nothing to complain about');
}
process.exitCode = done() ? 0 : 1;
