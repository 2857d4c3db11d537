// The parts of a chart as SVG: curves, dots, bars, bands, markers, legend.
import { nothing, svg, type SVGTemplateResult } from "lit";
import { textWidth } from "./measure.ts";
import type { Scale } from "./scale.ts";
import { DASHES, type ChartSpec, type Look, type Marker, type Point, type Series } from "./spec.ts";

/** Where things are, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly em: number;
  readonly font: string;
  readonly left: number;
  readonly top: number;
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly x: Scale;
  readonly y: Scale;
}

/** Width of a legend's sample and of a bar, in pixels. */
export const SWATCH = 26;
const BAR = 26;

/** A legend entry with its place. */
export interface Placed {
  readonly series: Series;
  readonly x: number;
  readonly row: number;
}

export function placeLegend(spec: ChartSpec, width: number, font: string, em: number): Placed[] {
  const placed: Placed[] = [];
  let [x, row] = [0, 0];
  for (const series of spec.series.filter((s) => s.legend)) {
    const own = SWATCH + 6 + textWidth(series.name, font) + 1.2 * em;
    if (x > 0 && x + own - 1.2 * em > width) [x, row] = [0, row + 1];
    placed.push({ series, x, row });
    x += own;
  }
  return placed;
}

export function hue(look: { readonly color: number | null }): string {
  return look.color === null ? "ink" : `c${look.color}`;
}

function dash(look: Look): string | typeof nothing {
  return DASHES[look.dash] || nothing;
}

function seen(point: Point, l: Layout): boolean {
  return Number.isFinite(l.x(point.x)) && Number.isFinite(l.y(point.y));
}

/** A place in a path, to a tenth of a pixel. */
function at(x: number, y: number): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}

export function curve(series: Series, l: Layout): SVGTemplateResult | typeof nothing {
  let path = "";
  let drawing = false;
  for (const p of series.points) {
    const visible = seen(p, l);
    if (visible) path += `${drawing ? "L" : "M"}${at(l.x(p.x), l.y(p.y))}`;
    drawing = visible;
  }
  if (path === "") return nothing;
  return svg`<path class="${series.mark} ${hue(series)}" stroke-dasharray=${dash(series)} d=${path}></path>`;
}

export function bandPath(points: readonly { x: number; low: number; high: number }[], l: Layout): string {
  const there = points.filter((p) => Number.isFinite(l.y(p.low)) && Number.isFinite(l.y(p.high)));
  const edge = [...there.map((p) => at(l.x(p.x), l.y(p.high))), ...[...there].reverse().map((p) => at(l.x(p.x), l.y(p.low)))];
  return edge.length > 0 ? `M${edge.join("L")}Z` : "";
}

/** Dots, diamonds, arrows or bars of a series, with their intervals and labels. */
export function marks(series: Series, l: Layout): SVGTemplateResult[] {
  return series.points
    .filter((p) => seen(p, l))
    .map((p) => {
      const [x, y] = [l.x(p.x), l.y(p.y)];
      const whisker =
        p.low !== undefined && p.high !== undefined && Number.isFinite(l.y(p.low)) && Number.isFinite(l.y(p.high))
          ? svg`<path class="whisker ${hue(series)}" d=${`M${x} ${l.y(p.low)}V${l.y(p.high)}M${x - 4} ${l.y(p.low)}h8M${x - 4} ${l.y(p.high)}h8`}></path>`
          : nothing;
      const top = series.mark === "bar" ? Math.min(y, l.y(0), l.y(p.high ?? p.y)) : y;
      const label = p.label
        ? svg`<text class="value" text-anchor="middle" x=${x} y=${top - 0.5 * l.em}>${p.label}</text>`
        : nothing;
      const zero = l.y(0);
      const drawn =
        series.mark === "bar"
          ? svg`<rect class="bar ${hue(series)}" x=${x - BAR / 2} y=${Math.min(y, zero)} width=${BAR} height=${Math.abs(zero - y)}></rect>`
          : glyph(series, x, y);
      return svg`${drawn}${whisker}${label}`;
    });
}

function glyph(series: Series, x: number, y: number): SVGTemplateResult {
  const look = `${series.mark} ${hue(series)}`;
  switch (series.mark) {
    case "diamond":
      return svg`<path class=${look} d=${`M${x} ${y - 8}l7 8l-7 8l-7 -8z`}></path>`;
    case "arrow":
      return svg`<path class=${look} d=${`M${x} ${y + 5}V${y - 6}M${x - 4.5} ${y - 1}L${x} ${y - 6}l4.5 5`}></path>`;
    default:
      return svg`<circle class=${look} cx=${x} cy=${y} r="4.5"></circle>`;
  }
}

export function swatch(series: Series, em: number): SVGTemplateResult {
  const y = -0.32 * em;
  if (series.mark === "line" || series.mark === "faint" || series.mark === "guide") {
    return svg`<path class="${series.mark} ${hue(series)}" stroke-dasharray=${dash(series)} d=${`M0 ${y}H${SWATCH}`}></path>`;
  }
  const middle = SWATCH / 2;
  if (series.mark === "bar") return svg`<rect class="bar ${hue(series)}" x=${middle - 6} y=${y - 6} width="12" height="12"></rect>`;
  return glyph(series, middle, y);
}

/** The interval of a marker, behind everything else. */
export function intervalArea(marker: Marker, l: Layout): SVGTemplateResult | typeof nothing {
  if (marker.low === undefined || marker.high === undefined) return nothing;
  const [a, b] = [l.x(marker.low), l.x(marker.high)];
  if (!Number.isFinite(a) || !Number.isFinite(b)) return nothing;
  return svg`<rect class="band ${hue(marker)}" x=${a} y="0" width=${Math.max(1, b - a)} height=${l.plotHeight}></rect>`;
}

export function markerLine(marker: Marker, l: Layout): SVGTemplateResult | typeof nothing {
  const x = l.x(marker.x);
  if (!Number.isFinite(x) || x < -1 || x > l.plotWidth + 1) return nothing;
  const y = marker.top === undefined ? 0 : l.y(marker.top);
  const inside = Number.isFinite(y) && y >= -1 && y <= l.plotHeight + 1;
  const width = textWidth(marker.label, l.font);
  const flips = x + width + 8 > l.plotWidth;
  return svg`
    <path class="drop ${hue(marker)}" stroke-dasharray=${dash(marker)} d=${`M${x} ${l.plotHeight}V${inside ? y : 0}`}></path>
    ${
      marker.label
        ? svg`<text class="value" text-anchor=${flips ? "end" : "start"} x=${flips ? x - 6 : x + 6} y=${marker.top === undefined ? 0.9 * l.em : y - 0.7 * l.em}>${marker.label}</text>`
        : nothing
    }`;
}
