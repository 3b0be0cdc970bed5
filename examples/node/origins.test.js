import Cloudflare from 'cloudflare';
import { beforeEach, expect, test } from 'vitest';

import { access, fail, mappings, partial, requests, reset } from './originmap.js';
import { mapOrigins } from './origins.js';

const client = new Cloudflare({ baseURL: access.base_url, apiToken: access.token });
const regions = { '192.0.2.1': ['aws', 'us-east-1'], '2001:db8::1': ['gcp', 'us-central1'] };

beforeEach(reset);

test('all origins are mapped in one request', async () => {
  await mapOrigins(client, access.zone_id, regions);
  expect(await mappings()).toEqual(regions);
  expect((await requests()).map((request) => request.operation)).toEqual(['put_mappings']);
});

test('a request is repeated after the rate limit', async () => {
  await fail('put_mappings', { status: 429, retry_after: 1 });
  await mapOrigins(client, access.zone_id, regions);
  expect((await requests()).map((request) => request.status)).toEqual([429, 200]);
});

test('an address that the API refuses is named', async () => {
  await partial('put_mappings', ['192.0.2.1']);
  await expect(mapOrigins(client, access.zone_id, regions)).rejects.toThrow('192.0.2.1');
  expect(await mappings()).toEqual({ '2001:db8::1': ['gcp', 'us-central1'] });
});

test('a full zone is an error', async () => {
  await fail('put_mappings', { code: 1164 });
  await expect(mapOrigins(client, access.zone_id, regions)).rejects.toThrow(
    Cloudflare.PermissionDeniedError,
  );
  expect(await mappings()).toEqual({});
});
