// The program under test: it writes where origins are.

/**
 * Maps addresses to regions, such as { '192.0.2.1': ['aws', 'us-east-1'] }, in one request.
 * Throws an error that names the addresses that the API refused.
 */
export async function mapOrigins(client, zone_id, regions) {
  const body = Object.entries(regions).map(([origin_ip, [vendor, region]]) => ({
    origin_ip,
    vendor,
    region,
  }));
  const { failed } = await client.cache.originCloudRegions.bulkUpdate({ zone_id, body });
  if (failed.length > 0) {
    const refused = failed.map(({ origin_ip, error }) => `${origin_ip}: ${error}`);
    throw new Error(`not mapped: ${refused.join('; ')}`);
  }
}
