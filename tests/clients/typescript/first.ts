// The first program of a user, as Cloudflare's reference shows it. Only the base URL is set outside.
import Cloudflare from 'cloudflare';

const client = new Cloudflare({
  apiToken: process.env['CLOUDFLARE_API_TOKEN'],
});

const originCloudRegion = await client.cache.originCloudRegions.update('192.0.2.1', {
  zone_id: '023e105f4ecef8ad9ca31a8372d0c353', origin_ip: '192.0.2.1', region: 'us-east-1', vendor: 'aws' });
console.log(originCloudRegion.origin_ip);
