#!/bin/sh
# The program under test: map-origin.sh IP VENDOR REGION writes where an origin is.
set -eu
curl -sS --fail-with-body --retry 3 -X PUT \
  "$CLOUDFLARE_BASE_URL/zones/$CLOUDFLARE_ZONE_ID/origin/cloud_regions/$1" \
  -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN" \
  -H "Content-Type: application/json" \
  -d "{\"origin_ip\": \"$1\", \"vendor\": \"$2\", \"region\": \"$3\"}"
