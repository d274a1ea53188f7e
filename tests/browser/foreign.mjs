// A page of another origin tries to create, change and delete files on the server, in every way that a
// browser has. The same page on the server's own origin can: so the attempts are real ones.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { is, none, ok } from './tap.mjs';

const STRANGER = 'stranger.example'; // Firefox is told that this name is loopback.

// Firefox with a name that a stranger pointed at this machine ("DNS rebinding").
export const STRANGE_NAMES = { 'network.dns.localDomains': STRANGER };

// What the attacker's server serves: an empty page. All it does comes from attack().
async function startStranger() {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end('<!DOCTYPE html><title>Free kittens</title><p>Kittens.</p>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

// Runs in the page. Each attempt settles, whatever came of it, before the next begins.
async function attack(base) {
  const quietly = async (attempt) => {
    try { await attempt(); } catch { /* The browser or the server said no. */ }
  };
  const address = (path) => new URL(path, base).href;
  const data = () => {
    const form = new FormData();
    form.append('file', new File(['stolen'], 'form.txt', { type: 'text/plain' }));
    return form;
  };
  const modes = ['cors', 'no-cors'];
  for (const mode of modes) {
    for (const credentials of ['omit', 'include']) {
      const options = { mode, credentials };
      await quietly(() => fetch(address(`put-${mode}.txt`), { ...options, method: 'PUT', body: 'x' }));
      await quietly(() => fetch(address('kept.txt'), { ...options, method: 'PUT', body: 'changed' }));
      await quietly(() => fetch(address('post/'), { ...options, method: 'POST', body: 'text' }));
      await quietly(() => fetch(address('post/'), { ...options, method: 'POST', body: data() }));
      await quietly(() => fetch(address('gone.txt'), { ...options, method: 'DELETE' }));
      await quietly(() => fetch(address(`made-${mode}/`), { ...options, method: 'MKCOL' }));
      await quietly(() => fetch(address('moved.txt'),
        { ...options, method: 'MOVE', headers: { Destination: '/victim/away.txt' } }));
    }
  }
  for (const method of ['PUT', 'DELETE', 'POST']) {
    await quietly(() => new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.onloadend = resolve;
      request.open(method, address(method === 'POST' ? 'post/' : `xhr.txt`));
      request.send('x');
    }));
  }
  await quietly(async () => {
    navigator.sendBeacon(address('post/'), data());
    await new Promise((resolve) => setTimeout(resolve, 500));
  });

  // Plain forms, which need no script and no permission: into a frame, and from a sandboxed frame, whose
  // origin is "null".
  const submit = (enctype, sandbox) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.name = `frame-${enctype}`;
    document.body.append(frame);
    if (sandbox) {
      frame.sandbox = 'allow-forms allow-scripts';
      frame.srcdoc = `<form method=post enctype="${enctype}" action="${address('post/')}">
        <input name=a value=b></form><script>document.forms[0].submit()</` + 'script>';
      setTimeout(resolve, 700);
      return;
    }
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', enctype, action: address('post/'), target: frame.name });
    form.innerHTML = '<input name=a value=b>';
    document.body.append(form);
    frame.addEventListener('load', () => setTimeout(resolve, 100));
    setTimeout(resolve, 2000);
    form.submit();
  });
  for (const sandbox of [false, true])
    for (const type of ['multipart/form-data', 'text/plain', 'application/x-www-form-urlencoded'])
      await submit(type, sandbox);
}

// What is on the server, seen by a program.
async function contents(url) {
  const list = async (path) => {
    const response = await fetch(`${url}${path}`, { headers: { Accept: 'application/json' } });
    return response.ok ? response.text() : `${response.status}`;
  };
  const kept = await (await fetch(`${url}victim/kept.txt`)).text();
  return [kept, await list('victim/'), await list('victim/post/')].join('\n');
}

async function prepare(url) {
  for (const name of ['post/here.txt', 'kept.txt', 'gone.txt', 'moved.txt'])
    await fetch(`${url}victim/${name}`, { method: 'PUT', body: `${name} as it was` });
}

// Nobody's page but the server's own changes anything. `launch` starts Firefox with preferences.
export async function visitForeign(launch, url) {
  const stranger = await startStranger();
  const { port } = stranger.address();
  const victim = `${url}victim/`;
  const browser = await launch(STRANGE_NAMES);
  const page = await browser.newPage();
  try {
    const { protocol, port: own } = new URL(url);
    await prepare(url);
    const before = await contents(url);
    for (const host of ['127.0.0.1', 'localhost', STRANGER]) {
      await page.goto(`http://${host}:${port}/`);
      await page.evaluate(attack, victim);
      is(await contents(url), before, `a page of http://${host}:${port} changes nothing`);
    }

    // As a page of its own: a form that leaves for the server.
    await page.goto(`http://localhost:${port}/`);
    const [left] = await Promise.all([
      page.waitForNavigation(),
      page.evaluate((action) => {
        document.body.innerHTML = `<form method=post enctype="multipart/form-data" action="${action}">
          <input name=a value=b></form>`;
        document.forms[0].submit();
      }, `${victim}post/`),
    ]);
    is(left.status(), 403, 'a form of another site is told so: 403');

    // The stranger's name now leads to this server, so the browser takes both for one origin.
    const rebound = await page.goto(`${protocol}//${STRANGER}:${own}/victim/kept.txt`);
    is(rebound.status(), 421, 'a name that is not ours is not served: 421');
    await page.evaluate(attack, `${protocol}//${STRANGER}:${own}/victim/`);
    is(await contents(url), before, 'nor does it change anything');

    // The same from a page of ours does all of it, or the silence above would mean nothing.
    await page.goto(victim);
    await page.evaluate(attack, victim);
    const after = await contents(url);
    const missing = ['changed', 'put-cors.txt', 'made-cors', 'form.txt', 'away.txt']
      .filter((name) => !after.includes(name));
    none(missing, 'a page of our own can do all that');
    ok(!after.includes('gone.txt'), 'deleting as well', after);
  } finally {
    await browser.close();
    stranger.closeAllConnections();
    stranger.close();
  }
}
