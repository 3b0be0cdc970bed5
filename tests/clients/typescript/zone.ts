// What the tests share: the client, configured by CLOUDFLARE_* variables, and the zone they fill.
import Cloudflare from 'cloudflare';

export const zone_id = '023e105f4ecef8ad9ca31a8372d0c353';

export const client = new Cloudflare();

export const regions = client.cache.originCloudRegions;

export const aws = { vendor: 'aws', region: 'us-east-1' } as const;
export const gcp = { vendor: 'gcp', region: 'us-central1' } as const;

/** The addresses of all mappings, every page fetched by the client itself. */
export async function addresses(per_page?: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const entry of regions.list({ zone_id, per_page })) seen.push(entry.origin_ip);
  return seen;
}

/** Removes every mapping. */
export async function empty(): Promise<void> {
  const left = await addresses(100);
  while (left.length > 0) {
    await regions.bulkDelete({ zone_id }, { body: left.splice(0, 100) });
  }
}
