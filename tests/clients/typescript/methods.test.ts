// The seven methods of npm's `cloudflare`.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import Cloudflare from 'cloudflare';

import { addresses, aws, client, empty, gcp, regions, zone_id } from './zone.js';

const v4 = { origin_ip: '192.0.2.1', ...aws };
const v6 = { origin_ip: '2001:db8::1', ...gcp };

describe('the seven methods', () => {
  beforeEach(empty);

  test('update creates a mapping that get answers', async () => {
    const created = await regions.update('192.0.2.1', { zone_id, ...v4 });
    assert.deepEqual({ ...created, modified_on: undefined }, { ...v4, modified_on: undefined });
    assert.ok(!Number.isNaN(Date.parse(created.modified_on ?? '')));
    assert.deepEqual(await regions.get('192.0.2.1', { zone_id }), created);
  });

  test('update replaces a mapping', async () => {
    await regions.update('192.0.2.1', { zone_id, ...v4 });
    const replaced = await regions.update('192.0.2.1', { zone_id, ...v4, ...gcp });
    assert.deepEqual([replaced.vendor, replaced.region], ['gcp', 'us-central1']);
    assert.deepEqual(await addresses(), ['192.0.2.1']);
  });

  test('an IPv6 address is answered in its canonical form', async () => {
    const origin_ip = '2001:DB8:0:0::1';
    const created = await regions.update(origin_ip, { zone_id, ...gcp, origin_ip });
    assert.equal(created.origin_ip, '2001:db8::1');
    assert.deepEqual(await regions.get('2001:0db8::0001', { zone_id }), created);
  });

  test('colons in the path may be percent-encoded', async () => {
    await regions.update('2001:db8::1', { zone_id, ...v6 });
    const path = `/zones/${zone_id}/origin/cloud_regions/2001%3Adb8%3A%3A1`;
    const answer = (await client.get(path)) as { result: { origin_ip: string } };
    assert.equal(answer.result.origin_ip, '2001:db8::1');
  });

  test('list answers a page and says which', async () => {
    await regions.bulkUpdate({ zone_id, body: [v6, v4] });
    const page = await regions.list({ zone_id, page: 2, per_page: 1 });
    assert.deepEqual(page.result.map((entry) => entry.origin_ip), ['2001:db8::1']);
    assert.deepEqual(page.result_info, {
      count: 1, page: 2, per_page: 1, total_count: 2, total_pages: 2,
    });
  });

  test('delete removes a mapping and names it', async () => {
    await regions.update('192.0.2.1', { zone_id, ...v4 });
    assert.deepEqual(await regions.delete('192.0.2.1', { zone_id }), { origin_ip: '192.0.2.1' });
    assert.deepEqual(await addresses(), []);
  });

  test('bulkUpdate answers what failed beside what succeeded', async () => {
    const body = [v4, { ...v6, region: 'us-east-1' }];
    const { succeeded, failed } = await regions.bulkUpdate({ zone_id, body });
    assert.deepEqual(succeeded, [v4]);
    assert.deepEqual(failed.map((item) => item.origin_ip), ['2001:db8::1']);
    assert.match(failed[0]?.error ?? '', /region provided does not exist/);
  });

  test('bulkDelete answers what it deleted', async () => {
    await regions.bulkUpdate({ zone_id, body: [v4, v6] });
    const body = ['192.0.2.1', '192.0.2.99'];
    const { succeeded, failed } = await regions.bulkDelete({ zone_id }, { body });
    assert.deepEqual(succeeded, [v4]);
    assert.deepEqual(failed.map((item) => item.origin_ip), ['192.0.2.99']);
    assert.deepEqual(await addresses(), ['2001:db8::1']);
  });

  test('bulkDelete without a body deletes nothing', async () => {
    await regions.bulkUpdate({ zone_id, body: [v4, v6] });
    await assert.rejects(regions.bulkDelete({ zone_id }), Cloudflare.BadRequestError);
    assert.deepEqual(await addresses(), ['192.0.2.1', '2001:db8::1']);
  });

  test('supportedRegions lists every vendor', async () => {
    const { obtained_codes, vendors } = await regions.supportedRegions({ zone_id });
    assert.equal(obtained_codes, true);
    assert.deepEqual(Object.keys(vendors).sort(), ['aws', 'azure', 'gcp', 'oci']);
    const east = vendors['aws']?.find((region) => region.name === 'us-east-1');
    assert.deepEqual(east?.upper_tier_colos, ['IAD', 'EWR']);
  });

  test('a response carries the request id', async () => {
    await regions.update('192.0.2.1', { zone_id, ...v4 });
    const { data, response } = await regions.get('192.0.2.1', { zone_id }).withResponse();
    assert.equal(data.origin_ip, '192.0.2.1');
    assert.match(response.headers.get('cf-ray') ?? '', /^[0-9a-f]{16}-[A-Z]{3}$/);
  });
});
