// A page with tus-js-client uploads 200 MB; its tab is closed at half, opened again, and goes on from there.
//
//   node tus.mjs OUT     tests/browser/run sets what it needs; SIZE=bytes for another length

import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, createReadStream, createWriteStream, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { serve } from './server.mjs';
import { done, group, is, note, ok } from './tap.mjs';

const [base] = process.argv.slice(2);
const require = createRequire(`${base}/`);
const puppeteer = require('puppeteer-core');
const out = `${base}/tus`;
const root = `${out}/root`;
const size = Number(process.env.SIZE || 200000000);
const piece = 1 << 20;

const PAGE = `<!DOCTYPE html><meta charset="utf-8"><title>Upload</title>
<script src="tus.min.js"></script><input type="file" id="file"><progress id="bar" max="1"></progress>
<script>
window.state = { sent: 0, first: null, done: false, error: null };
const input = document.getElementById('file');
input.onchange = async () => {
  const upload = new tus.Upload(input.files[0], {
    endpoint: '/in/', chunkSize: 4000000, retryDelays: [0, 200, 1000, 3000],
    metadata: { filename: input.files[0].name },
    onProgress: (sent, total) => {
      state.first ??= sent;
      state.sent = sent;
      document.getElementById('bar').value = sent / total;
    },
    onError: (error) => { state.error = String(error); },
    onSuccess: () => { state.done = true; },
  });
  const former = await upload.findPreviousUploads();
  state.former = former.length;
  if (former.length > 0) upload.resumeFromPreviousUpload(former[0]);
  upload.start();
};
</script>`;

const sha256 = async (path) => {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest('hex');
};

async function makeFile(path) {
  const file = createWriteStream(path);
  for (let left = size; left > 0; left -= piece)
    if (!file.write(randomBytes(Math.min(piece, left)))) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
}

// Opens the page and has it upload the file; returns the page and what it says once `enough` of that.
async function upload(browser, url, path, enough) {
  const page = await browser.newPage();
  await page.goto(`${url}page.html`);
  await (await page.$('#file')).uploadFile(path);
  for (const end = Date.now() + 300000; ;) {
    const state = await page.evaluate('state');
    if (state.error !== null || state.done || enough(state)) return [page, state];
    if (Date.now() > end) throw new Error(`waited in vain, at ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(`${root}/in`, { recursive: true });
copyFileSync(`${dirname(require.resolve('tus-js-client/package.json'))}/dist/tus.min.js`, `${root}/tus.min.js`);
writeFileSync(`${root}/page.html`, PAGE);
await makeFile(`${out}/film.bin`);

const server = await serve(process.env.HTTPD, root, out);
const browser = await puppeteer.launch({
  browser: 'firefox', executablePath: process.env.FIREFOX, headless: true, protocolTimeout: 120000,
  extraPrefsFirefox: { 'network.proxy.type': 0, 'dom.disable_beforeunload': true },
});
try {
  await group('a tab that is closed at half', async () => {
    const [first, left] = await upload(browser, server.url, `${out}/film.bin`, ({ sent }) => sent > size / 2);
    is(left.error, null, 'the upload is under way');
    await first.close();
    const [, state] = await upload(browser, server.url, `${out}/film.bin`, () => false);
    is(state.error, null, 'the page, opened again, brings the rest');
    is(state.former, 1, 'having found what it had begun');
    ok(state.first >= size / 2 - 8000000 && state.first <= size,
      'and goes on from where it was', `first progress at ${state.first}, the tab was closed at ${left.sent}`);
    note(`closed at ${left.sent}, gone on at ${state.first} of ${size}`);
    is(statSync(`${root}/in/film.bin`).size, size, 'the file is all there');
    is(await sha256(`${root}/in/film.bin`), await sha256(`${out}/film.bin`), 'and the same');
  });
} finally {
  await browser.close();
  is(await server.stop(), 0, 'the server ends well');
  rmSync(`${out}/film.bin`, { force: true });
  rmSync(root, { recursive: true, force: true });
}
process.exit(done() ? 0 : 1);
