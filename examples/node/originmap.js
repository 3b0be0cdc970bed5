// Controls the server in tests.
import { inject } from 'vitest';

/** The URL and the credentials: url, base_url, token, account_id, zone_id, … */
export const access = inject('originmap');

export const reset = () => control('POST', '/reset');
export const fail = (operation, fault) =>
  control('POST', '/faults', { operation, kind: 'fail', ...fault });
export const partial = (operation, items, fault) =>
  control('POST', '/faults', { operation, kind: 'partial', items, ...fault });
export const mappings = () => control('GET', '/mappings');
export const requests = async () => (await control('GET', '/requests')).requests;

async function control(method, path, body) {
  const response = await fetch(`${access.url}/originmap/dev/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${access.token}` },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.errors[0].message);
  return answer.result;
}
