// The examples in the documentation of npm's `cloudflare`, taken from the installed package and
// run as they stand.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';

import Cloudflare from 'cloudflare';

import { aws, client, empty, gcp, regions, zone_id } from './zone.js';

const Program = Object.getPrototypeOf(async () => {}).constructor as {
  new (parameter: string, body: string): (client: Cloudflare) => Promise<void>;
};

const documented = readFileSync(
  createRequire(import.meta.url).resolve('cloudflare/resources/cache/origin-cloud-regions'),
  'utf8',
);

/** Each example with the name of the method it shows. */
const examples = new Map<string, string>();
for (const [, lines = ''] of documented.matchAll(/@example\s+\* ```ts\n([\s\S]*?)\* ```/g)) {
  const code = lines.replace(/^ *\* ?/gm, '');
  examples.set(/originCloudRegions\.(\w+)/.exec(code)?.[1] ?? code, code);
}

describe('the documented examples', () => {
  before(async () => {
    await empty();
    await regions.bulkUpdate({
      zone_id,
      body: [{ origin_ip: '192.0.2.1', ...aws }, { origin_ip: '2001:db8::1', ...gcp }],
    });
  });

  test('each of the seven methods has an example', () => {
    assert.deepEqual([...examples.keys()].sort(), [
      'bulkDelete', 'bulkUpdate', 'delete', 'get', 'list', 'supportedRegions', 'update',
    ]);
  });

  for (const method of ['bulkUpdate', 'update', 'get', 'list', 'supportedRegions', 'delete']) {
    test(`the example of ${method} runs`, async () => {
      await new Program('client', examples.get(method) ?? 'throw Error("no example")')(client);
    });
  }

  test('the example of bulkDelete, which sends no body, is refused', async () => {
    const program = new Program('client', examples.get('bulkDelete') ?? '');
    await assert.rejects(program(client), Cloudflare.BadRequestError);
  });
});
