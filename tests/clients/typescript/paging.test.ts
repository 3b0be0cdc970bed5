// npm's `cloudflare` on a zone with as many mappings as one may have. The client asks for the next
// page until one comes back empty.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import Cloudflare from 'cloudflare';

import { addresses, aws, empty, regions, zone_id } from './zone.js';

const limit = 3500;

/** In the order they are listed. */
const inOrder = Array.from({ length: limit }, (_, number) =>
  number < 2000
    ? `198.18.${Math.floor(number / 256)}.${number % 256}`
    : `2001:db8::${(number + 0x1000).toString(16)}`,
);

describe('a full zone', () => {
  before(async () => {
    await empty();
    const last = [...inOrder].reverse();
    while (last.length > 0) {
      const body = last.splice(0, 100).map((origin_ip) => ({ origin_ip, ...aws }));
      const { succeeded } = await regions.bulkUpdate({ zone_id, body });
      assert.equal(succeeded.length, 100);
    }
  });

  for (const per_page of [undefined, 100]) {
    test(`auto-paging by ${per_page ?? 'default'} sees each mapping once in order`, async () => {
      assert.deepEqual(await addresses(per_page), inOrder);
    });
  }

  test('pages can be fetched one by one', async () => {
    let page = await regions.list({ zone_id, per_page: 100 });
    let fetched = 1;
    while (page.hasNextPage()) {
      page = await page.getNextPage();
      fetched += 1;
    }
    assert.equal(fetched, limit / 100 + 1);
  });

  test('one mapping more is refused', async () => {
    const origin_ip = '192.0.2.1';
    const call = async () => regions.update(origin_ip, { zone_id, origin_ip, ...aws });
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof Cloudflare.PermissionDeniedError);
      const message = 'Maximum number of IP mappings configured for zone.';
      assert.deepEqual(error.errors, [{ code: 1164, message }]);
      return true;
    });
  });
});
