// One httpd on a port of its own, which can be killed and started again where it was.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, open, readFile, rm } from 'node:fs/promises';

// Serves the directory `root`; what the server says and logs goes to `${out}/server.log` and access.log.
export async function serve(httpd, root, out, { port = 0, address = '127.0.0.1', more = [] } = {}) {
  const log = await open(`${out}/server.log`, 'w');
  const options = ['-p', `${port}`, '-b', address, '-t', '16', '-r', root, '-l', `${out}/access.log`, ...more];
  const server = spawn(httpd, options, { stdio: ['ignore', log.fd, log.fd] });
  const ended = once(server, 'exit'); // Rejects when the program cannot be started.
  const running = () => server.exitCode === null && server.signalCode === null;
  const kill = () => server.kill('SIGKILL');
  process.on('exit', kill);

  const said = () => readFile(`${out}/server.log`, 'utf8');
  const find = async () => (await said()).match(/http:\/\/[\d.]+:\d+\//)?.[0];
  let url;
  for (let tries = 0; !url && tries < 250 && running(); tries++) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
    url = await find();
  }
  if (!url) throw new Error(`${httpd} did not say where it serves:\n${await said()}`);

  const end = async (signal) => {
    if (!running()) return `had ended: ${server.exitCode ?? server.signalCode}`;
    server.kill(signal);
    const [status, by] = await ended;
    process.off('exit', kill);
    await log.close();
    return status ?? by;
  };
  return {
    url,
    said,
    stop: () => end('SIGTERM'), // How it ended: its exit status, or the signal that did it.
    kill: () => end('SIGKILL'),
  };
}

// On a copy of the site, whose forms write.
export async function startServer(httpd, www, out) {
  await rm(`${out}/www`, { recursive: true, force: true });
  await rm(`${out}/access.log`, { force: true });
  await cp(www, `${out}/www`, { recursive: true });
  return serve(httpd, `${out}/www`, out);
}
