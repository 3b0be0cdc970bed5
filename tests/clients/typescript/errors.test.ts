// The typed errors of npm's `cloudflare`: for each refusal its class, code and message.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import Cloudflare from 'cloudflare';

import { aws, empty, regions, zone_id } from './zone.js';

type Kind = new (...args: any[]) => InstanceType<typeof Cloudflare.APIError>;

const { BadRequestError, AuthenticationError, PermissionDeniedError, NotFoundError } = Cloudflare;

const noSetting =
  'Unable to retrieve origin_public_cloud_region setting value. The zone setting does not exist.';
const noRegion =
  "The vendor provided doesn't exist or the region provided does not exist " +
  'for the specified cloud vendor';

function update(origin_ip: string, changed: { origin_ip?: string; region?: string }) {
  return regions.update(origin_ip, { zone_id, origin_ip, ...aws, ...changed });
}

/** A client with these credentials and no others, whatever the environment says. */
function withOnly(credentials: { apiToken?: string; apiEmail?: string; apiKey?: string }) {
  const none = { apiToken: null, apiEmail: null, apiKey: null };
  return new Cloudflare({ ...none, ...credentials }).cache.originCloudRegions;
}

const refused: [string, () => PromiseLike<unknown>, Kind, number, string][] = [
  ['another address in the body', () => update('192.0.2.1', { origin_ip: '192.0.2.2' }),
    BadRequestError, 1146, 'body origin_ip does not match URL'],
  ['an unknown region', () => update('192.0.2.1', { region: 'us-central1' }),
    BadRequestError, 1157, noRegion],
  ['no address', () => regions.get('nonsense', { zone_id }),
    BadRequestError, 1146, 'Invalid or missing origin IP address.'],
  ['a page of 101', () => regions.list({ zone_id, per_page: 101 }),
    BadRequestError, 1146, 'invalid per_page parameter, must be between 1 and 100'],
  ['a get without mapping', () => regions.get('192.0.2.1', { zone_id }),
    NotFoundError, 1142, noSetting],
  ['a delete without mapping', () => regions.delete('192.0.2.1', { zone_id }),
    NotFoundError, 1142, noSetting],
  ['an unknown token', () => withOnly({ apiToken: 'A'.repeat(40) }).list({ zone_id }),
    AuthenticationError, 10000, 'Authentication error'],
  ['an unknown key',
    () => withOnly({ apiEmail: 'user@example.com', apiKey: '0'.repeat(37) }).list({ zone_id }),
    PermissionDeniedError, 9103, 'Unknown X-Auth-Key or X-Auth-Email'],
];

describe("errors of npm's `cloudflare`", () => {
  before(empty);

  for (const [what, call, kind, code, message] of refused) {
    test(`${what} is a ${kind.name} with code ${code}`, async () => {
      await assert.rejects(async () => call(), (error) => {
        assert.ok(error instanceof kind, `not ${String(error)}`);
        assert.deepEqual(error.error, {
          errors: [{ code, message }], messages: [], result: null, success: false,
        });
        assert.deepEqual(error.errors, [{ code, message }]);
        assert.ok(error.headers?.get('cf-ray'));
        return true;
      });
    });
  }
});
