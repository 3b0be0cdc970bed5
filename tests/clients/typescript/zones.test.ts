// Zones, settings, accounts, the user and the audit log through npm's `cloudflare`.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import Cloudflare from 'cloudflare';

import { aws, client, regions, zone_id } from './zone.js';

const account = { id: zone_id };

async function names(query: Parameters<typeof client.zones.list>[0]): Promise<string[]> {
  const seen: string[] = [];
  for await (const zone of client.zones.list(query)) seen.push(zone.name);
  return seen;
}

function isRefused(kind: new (...args: any[]) => Error, code: number, message: string) {
  return (error: unknown) => {
    assert.ok(error instanceof kind && error instanceof Cloudflare.APIError, String(error));
    assert.deepEqual(error.errors, [{ code, message }]);
    return true;
  };
}

describe('zones and what belongs to them', () => {
  /** A zone of the tests' own. */
  let own: string;

  beforeEach(async () => {
    own = (await client.zones.create({ name: 'shop.example', account })).id;
  });

  afterEach(async () => {
    await client.zones.delete({ zone_id: own });
  });

  test('a zone from its creation to its end', async () => {
    const made = await client.zones.create({ name: 'Life.Example', account, type: 'partial' });
    assert.deepEqual([made.name, made.type, made.status], ['life.example', 'partial', 'pending']);
    const read = await client.zones.get({ zone_id: made.id });
    assert.deepEqual([read.status, read.paused, read.account.id], ['active', false, zone_id]);
    assert.equal((await client.zones.edit({ zone_id: made.id, paused: true })).paused, true);
    assert.deepEqual(await client.zones.delete({ zone_id: made.id }), { id: made.id });
    await assert.rejects(
      async () => client.zones.get({ zone_id: made.id }),
      isRefused(Cloudflare.PermissionDeniedError, 9109, 'Invalid zone identifier'),
    );
  });

  test('zones are found by filters and paged through', async () => {
    assert.deepEqual(await names({ per_page: 1 }), ['example.com', 'shop.example']);
    assert.deepEqual(await names({ name: 'Shop.example', per_page: 1 }), ['shop.example']);
    assert.deepEqual(await names({ name: 'ends_with:.com' }), ['example.com']);
    assert.deepEqual(await names({ direction: 'desc' }), ['shop.example', 'example.com']);
    assert.deepEqual(await names({ account: { id: '0'.repeat(32) } }), []);
  });

  test('a zone of the same name is refused', async () => {
    await assert.rejects(
      async () => client.zones.create({ name: 'shop.example', account }),
      isRefused(Cloudflare.BadRequestError, 1061, 'The zone already exists.'),
    );
  });

  test('tiered cache can be switched, and the regions need it', async () => {
    const setting = client.argo.tieredCaching;
    assert.equal((await setting.get({ zone_id: own })).value, 'on');
    const off = await setting.edit({ zone_id: own, value: 'off' });
    assert.equal(off.value, 'off');
    assert.ok(!Number.isNaN(Date.parse(off.modified_on ?? '')));
    await assert.rejects(
      async () => regions.supportedRegions({ zone_id: own }),
      isRefused(
        Cloudflare.PermissionDeniedError, 1135, 'Tiered Cache must be enabled for this zone.'),
    );
    await regions.update('192.0.2.1', { zone_id: own, origin_ip: '192.0.2.1', ...aws });
    await setting.edit({ zone_id: own, value: 'on' });
    assert.ok((await regions.supportedRegions({ zone_id: own })).obtained_codes);
  });

  test('smart tiered cache is always there', async () => {
    const setting = client.cache.smartTieredCache;
    assert.equal((await setting.get({ zone_id: own })).value, 'on');
    assert.ok(!('value' in (await setting.delete({ zone_id: own }))));
    assert.equal((await setting.get({ zone_id: own })).value, 'off');
    assert.equal((await setting.create({ zone_id: own, value: 'on' })).value, 'on');
    assert.equal((await setting.edit({ zone_id: own, value: 'off' })).value, 'off');
  });

  test('regional tiered cache starts off', async () => {
    const setting = client.cache.regionalTieredCache;
    assert.equal((await setting.get({ zone_id: own })).value, 'off');
    assert.equal((await setting.edit({ zone_id: own, value: 'on' })).value, 'on');
  });

  test('accounts and the user', async () => {
    const ids: string[] = [];
    for await (const each of client.accounts.list({ per_page: 1 })) ids.push(each.id);
    assert.deepEqual(ids, [zone_id]);
    assert.equal((await client.accounts.get({ account_id: zone_id })).name, 'Example');
    const user = await client.user.get();
    assert.equal(user.email, 'user@example.com');
    await assert.rejects(
      async () => client.accounts.get({ account_id: '0'.repeat(32) }),
      isRefused(Cloudflare.PermissionDeniedError, 9109, 'Invalid account identifier'),
    );
  });

  test('the audit log tells what was done, page by page', async () => {
    await regions.update('192.0.2.9', { zone_id: own, origin_ip: '192.0.2.9', ...aws });
    const seen: string[] = [];
    const query = { account_id: zone_id, zone: { name: 'shop.example' }, per_page: 1 };
    for await (const entry of client.auditLogs.list(query)) {
      if (entry && 'action' in entry) seen.push(`${entry.action?.type} ${entry.resource?.type}`);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, ['add origin_cloud_region', 'add zone']);
  });
});
