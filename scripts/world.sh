#!/usr/bin/env bash
# Makes src/originmap/api/ui/assets/world.json, the outline of the land behind the map, of Natural Earth's
# 1:50m land (public domain) as the npm package world-atlas carries it. Run it only to change the
# outline: the file is in the repository. It needs npm and the network.
set -euo pipefail
cd "$(dirname "$0")/.."

npm install --prefix build/world --no-save --no-audit --no-fund --silent \
  world-atlas@2.0.2 topojson-simplify@3.0.3 topojson-client@3.1.0 d3-geo-projection@4.0.0
PATH=$PWD/build/world/node_modules/.bin:$PATH

# The smallest detail is 600 km² (1.5e-5 of a sphere with radius 1); smaller islands are left out.
# The projection cuts what crosses the antimeridian, and leaves out Antarctica.
toposimplify --spherical-area 1.5e-5 --filter-detached build/world/node_modules/world-atlas/land-50m.json |
  topo2geo land=- |
  geoproject 'd3.geoEquirectangular().scale(180 / Math.PI).translate([0, 0]).reflectY(true)
    .precision(0).clipExtent([[-180, -60], [180, 84]])' |
  geoquantize --precision 1 > src/originmap/api/ui/assets/world.json
