// API tokens through npm's `cloudflare`: those of a user and those of an account.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import Cloudflare from 'cloudflare';

import { client, zone_id } from './zone.js';

const read = '517b21aee92c4d89936c976ba6e4be55';
const policies = [{
  effect: 'allow' as const,
  permission_groups: [{ id: read }],
  resources: { [`com.cloudflare.api.account.zone.${zone_id}`]: '*' },
}];

/** A client with this token and nothing else, whatever the environment says. */
function using(apiToken: string): Cloudflare {
  return new Cloudflare({ apiToken, apiEmail: null, apiKey: null });
}

async function isRefused(call: PromiseLike<unknown>, status: number, code: number): Promise<void> {
  await assert.rejects(async () => call, (error) => {
    assert.ok(error instanceof Cloudflare.APIError, String(error));
    assert.deepEqual([error.status, error.errors[0]?.code], [status, code]);
    return true;
  });
}

describe('API tokens', () => {
  test("a user's token from its creation to its end", async () => {
    const tokens = client.user.tokens;
    const made = await tokens.create({ name: 'deploy', policies });
    assert.ok(made.id && made.value?.length === 40);
    const own = using(made.value);
    assert.equal((await own.user.tokens.verify()).status, 'active');
    await own.cache.originCloudRegions.list({ zone_id });

    assert.equal((await tokens.get(made.id)).name, 'deploy');
    const changed = await tokens.update(made.id, { name: 'off', policies, status: 'disabled' });
    assert.deepEqual([changed.name, changed.status], ['off', 'disabled']);
    await isRefused(own.zones.list(), 401, 10000);
    assert.equal((await own.user.tokens.verify()).status, 'disabled');

    await tokens.update(made.id, { name: 'on', policies, status: 'active' });
    const secret = await tokens.value.update(made.id, {});
    await isRefused(own.user.tokens.verify(), 401, 1000);
    assert.equal((await using(secret).user.tokens.verify()).id, made.id);

    assert.deepEqual(await tokens.delete(made.id), { id: made.id });
    await isRefused(tokens.get(made.id), 404, 1003);
  });

  test("an account's token from its creation to its end", async () => {
    const tokens = client.accounts.tokens;
    const account_id = zone_id;
    const made = await tokens.create({ account_id, name: 'deploy', policies });
    assert.ok(made.id && made.value);
    const own = using(made.value);
    assert.equal((await own.accounts.tokens.verify({ account_id })).status, 'active');
    await isRefused(own.user.tokens.verify(), 401, 1000);
    await isRefused(own.user.get(), 403, 10000);

    const secret = await tokens.value.update(made.id, { account_id });
    assert.equal((await using(secret).accounts.tokens.verify({ account_id })).id, made.id);
    assert.deepEqual(await tokens.delete(made.id, { account_id }), { id: made.id });
    await isRefused(tokens.get(made.id, { account_id }), 404, 1003);
  });

  test('tokens are paged through', async () => {
    const made: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      made.push((await client.accounts.tokens.create({ account_id: zone_id, name, policies })).id!);
    }
    const seen: string[] = [];
    for await (const token of client.accounts.tokens.list({ account_id: zone_id, per_page: 2 })) {
      seen.push(token.id!);
    }
    assert.deepEqual(seen, made);
    for (const id of made) await client.accounts.tokens.delete(id, { account_id: zone_id });
  });

  test('permission groups are found by name', async () => {
    const found: string[] = [];
    const name = 'Zone Settings Read';
    for await (const group of client.user.tokens.permissionGroups.list({ name })) {
      found.push(group.id ?? '');
    }
    assert.deepEqual(found, [read]);
  });

  test('tokens that cannot be made', async () => {
    await isRefused(client.user.tokens.create({ name: '', policies }), 400, 400);
    await isRefused(client.user.tokens.create({ name: 'x', policies: [] }), 400, 400);
  });
});
