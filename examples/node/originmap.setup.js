// Starts a server before the tests and stops it after them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const options = ['--port', '0', '--db', ':memory:', '--stop-on-eof', '--no-log-requests'];

export default async function setup(project) {
  const server = spawn('originmap', ['dev', ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  const line = await Promise.race([
    once(createInterface({ input: server.stdout }), 'line'),
    ended.then(([status]) => Promise.reject(new Error(`originmap dev: exit status ${status}`))),
  ]);
  project.provide('originmap', JSON.parse(line));
  return async () => {
    server.stdin.end(); // so it also stops if vitest is killed
    await ended;
  };
}
