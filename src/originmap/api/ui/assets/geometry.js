// The shortest way between two places on the globe, for a flat map whose edges are the antimeridian.

const RADIANS = Math.PI / 180;
const STEP = 3; // degrees of the great circle between two points of a line
const NEAR = 1e-9; // sine of an angle below which two directions count as the same or opposite

/**
 * Returns the great circle from one [latitude, longitude] to another as one line, or as two if it
 * crosses the antimeridian. Between antipodes, where every way is shortest, it follows the parallels.
 */
export function shortestWay(from, to) {
  return cut(points(from, to));
}

function points(from, to) {
  const a = vector(from);
  const b = vector(to);
  const cosine = a.reduce((sum, each, i) => sum + each * b[i], 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  const steps = Math.max(1, Math.ceil(angle / RADIANS / STEP));
  const line = [from];
  for (let i = 1; i < steps; i += 1) {
    const part = i / steps;
    if (sine < NEAR) {
      const longitude = turn(0, from[1] + turn(from[1], to[1]) * part);
      line.push([from[0] + (to[0] - from[0]) * part, longitude]);
    } else {
      const [m, n] = [Math.sin((1 - part) * angle) / sine, Math.sin(part * angle) / sine];
      line.push(place(a.map((each, k) => each * m + b[k] * n)));
    }
  }
  return [...line, to];
}

function cut(line) {
  const lines = [[line[0]]];
  for (let i = 1; i < line.length; i += 1) {
    const [here, there] = [line[i - 1], line[i]];
    if (Math.abs(there[1] - here[1]) > 180) {
      const edge = here[1] < 0 ? -180 : 180;
      const turned = turn(here[1], there[1]);
      const part = turned === 0 ? 0 : (edge - here[1]) / turned;
      const latitude = here[0] + (there[0] - here[0]) * part;
      lines.at(-1).push([latitude, edge]);
      lines.push([[latitude, -edge]]);
    }
    lines.at(-1).push(there);
  }
  return lines;
}

/** The degrees from one longitude east to another, from -180 to 180. */
function turn(from, to) {
  const east = to - from;
  return east - 360 * Math.round(east / 360);
}

function vector([latitude, longitude]) {
  const [phi, lambda] = [latitude * RADIANS, longitude * RADIANS];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function place([x, y, z]) {
  return [Math.atan2(z, Math.hypot(x, y)) / RADIANS, Math.atan2(y, x) / RADIANS];
}
