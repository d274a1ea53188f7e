// One httpd on a free port of loopback, on a copy of the site: its forms write.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, open, readFile, rm } from 'node:fs/promises';

export async function startServer(httpd, www, out) {
  await rm(`${out}/www`, { recursive: true, force: true });
  await rm(`${out}/access.log`, { force: true });
  await cp(www, `${out}/www`, { recursive: true });
  const log = await open(`${out}/server.log`, 'w');
  const options = ['-p', '0', '-b', '127.0.0.1', '-t', '16', '-r', `${out}/www`];
  const server = spawn(httpd, [...options, '-l', `${out}/access.log`], {
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = once(server, 'exit'); // Rejects when the program cannot be started.
  const running = () => server.exitCode === null && server.signalCode === null;
  process.on('exit', () => server.kill('SIGKILL'));

  const said = () => readFile(`${out}/server.log`, 'utf8');
  const address = async () => (await said()).match(/http:\/\/[\d.]+:\d+\//)?.[0];
  let url;
  for (let tries = 0; !url && tries < 250 && running(); tries++) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
    url = await address();
  }
  if (!url) throw new Error(`${httpd} did not say where it serves:\n${await said()}`);

  return {
    url,
    said,
    // How it ended: its exit status, or the signal that did it.
    async stop() {
      if (!running()) return `had ended: ${server.exitCode ?? server.signalCode}`;
      server.kill('SIGTERM');
      const [status, signal] = await ended;
      await log.close();
      return status ?? signal;
    },
  };
}
