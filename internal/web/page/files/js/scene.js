// What is behind the fish: rays, plants, gravel, and the surface of the water.

import { svg } from './dom.js';

/** makeScene draws it for a bowl of so many pixels. */
export function makeScene(width, height, surface) {
  const w = width;
  const h = height;
  const wave = `M0 ${surface} q${w / 16} -9 ${w / 8} 0 ${`t${w / 8} 0 `.repeat(7)}`;
  return [
    svg('path', { class: 'wave', d: `M0 0H${w}V${surface}H0Z` }),
    ...[0.18, 0.42, 0.7].map((x) => svg('path', { class: 'ray', d: `M${w * x} ${surface}h${w * 0.07}L${w * (x - 0.06)} ${h}h${-w * 0.14}Z` })),
    ...plants(w, h),
    svg('path', { class: 'gravel', d: `M0 ${h} V${h * 0.93} q${w / 6} ${-h * 0.02} ${w / 3} ${h * 0.012} t${w / 3} ${-h * 0.006} t${w / 3} ${h * 0.01} V${h}Z` }),
    svg('path', { class: 'surface', d: wave }),
  ];
}

function plants(w, h) {
  return [[0.17, 0.17], [0.21, 0.11], [0.35, 0.06], [0.8, 0.13], [0.84, 0.2], [0.62, 0.07]].map(([at, part]) => {
    const tall = h * (part + 0.05);
    return svg('path', { class: 'plant', d: `M${w * at} ${h * 0.97} c-16 ${-tall / 3} 18 ${-tall / 2} 0 ${-tall}` });
  });
}
