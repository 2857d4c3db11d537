// <l2-chart>: draws a ChartSpec as SVG at the size of its box, and reads its values to pointer and keyboard.
import { LitElement, css, html, nothing, svg, type PropertyValues } from "lit";
import { short } from "../format.ts";
import { en, type Words } from "../words/words.ts";
import { textWidth } from "./measure.ts";
import {
  SWATCH,
  bandPath,
  curve,
  hue,
  intervalArea,
  markerLine,
  marks,
  placeLegend,
  swatch,
  type Layout,
  type Placed,
} from "./parts.ts";
import { firstReading, isThere, moved, nearest, type Reading } from "./read.ts";
import { scaleOf, ticksOf } from "./scale.ts";
import type { ChartSpec, Point, Series } from "./spec.ts";
import { unseen } from "./theme.ts";

/** The box to draw in, in pixels, and its type. */
interface Size {
  readonly width: number;
  readonly height: number;
  readonly em: number;
  readonly family: string;
}

export class L2Chart extends LitElement {
  static override properties = { spec: { attribute: false }, words: { attribute: false } };

  declare spec: ChartSpec | null;
  /** What it speaks. */
  declare words: Words;

  #size: Size | null = null;
  #reading: Reading | null = null;
  #spoken = "";
  #observer = new ResizeObserver((entries) => {
    for (const entry of entries) this.#resized(entry.target, entry.contentRect);
  });

  constructor() {
    super();
    this.spec = null;
    this.words = en;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observe();
  }

  #observe(): void {
    const frame = this.renderRoot?.querySelector(".frame");
    if (frame) this.#observer.observe(frame);
  }

  /** The drawing, for export; `null` before it has a size. */
  get drawing(): SVGSVGElement | null {
    return this.renderRoot.querySelector("svg");
  }

  #resized(frame: Element, { width, height }: DOMRectReadOnly): void {
    const style = getComputedStyle(frame);
    const size = { width: Math.round(width), height: Math.round(height), em: Number.parseFloat(style.fontSize), family: style.fontFamily };
    const was = this.#size;
    if (was && was.width === size.width && was.height === size.height && was.em === size.em) return;
    this.#size = size;
    this.requestUpdate();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("spec") && this.#reading && !(this.spec && isThere(this.spec, this.#reading))) this.#reading = null;
  }

  protected override firstUpdated(): void {
    this.#observe();
  }

  protected override render() {
    const { spec } = this;
    const readable = spec ? firstReading(spec) !== null : false;
    return html`
      <div class="frame" part="chart" role=${readable ? "application" : "group"} aria-roledescription=${this.words.chart.role}
        aria-label=${spec?.title ?? ""} aria-describedby="summary" tabindex=${readable ? 0 : nothing}
        @keydown=${this.#onKey} @focus=${this.#onFocus} @blur=${this.#clear}
        @pointermove=${this.#onPointer} @pointerdown=${this.#onPointer} @pointerleave=${this.#onLeave}>
        ${spec && this.#size && this.#size.width > 40 ? this.#draw(spec, this.#size) : nothing}
        ${spec?.message ? html`<p class="message" part="message">${spec.message}</p>` : nothing}
      </div>
      <p id="summary" class="unseen">${spec?.summary}${readable ? ` ${this.words.chart.hint}` : ""}</p>
      <p class="unseen" aria-live="polite">${this.#spoken}</p>
    `;
  }

  #layout(spec: ChartSpec, size: Size): Layout & { legend: Placed[] } {
    const { width, height, em } = size;
    const font = `${em}px ${size.family}`;
    const yTicks = ticksOf(spec.y, 6).map((t) => textWidth(t.label, font));
    const left = Math.ceil(Math.max(2.8 * em, ...yTicks) + 0.8 * em);
    const right = Math.ceil(0.9 * em);
    const legend = placeLegend(spec, width - 4, font, em);
    const rows = legend.length > 0 ? Math.max(...legend.map((l) => l.row)) + 1 : 0;
    const top = Math.ceil(rows * 1.55 * em + 2.1 * em);
    const bottom = Math.ceil(3.3 * em);
    const plotWidth = Math.max(10, width - left - right);
    const plotHeight = Math.max(10, height - top - bottom);
    const x = scaleOf(spec.x, [0, plotWidth]);
    const y = scaleOf(spec.y, [plotHeight, 0]);
    return { width, height, em, font, left, top, plotWidth, plotHeight, x, y, legend };
  }

  #draw(spec: ChartSpec, size: Size) {
    const l = this.#layout(spec, size);
    const { em, left, top, plotWidth, plotHeight } = l;
    const under = spec.series.filter((s) => s.mark === "faint" || s.mark === "guide");
    const over = spec.series.filter((s) => s.mark === "line");
    const dots = spec.series.filter((s) => !["faint", "guide", "line"].includes(s.mark));
    return html`
      <svg role="img" aria-label=${spec.title} viewBox="0 0 ${l.width} ${l.height}" width="100%" height="100%">
        ${l.legend.map((item) => this.#legendItem(item, em))}
        <text class="axis-label" x="0" y=${top - 0.75 * em}>${spec.y.label}</text>
        <g transform="translate(${left} ${top})">
          ${this.#axes(spec, l)}
          <svg class="plot" x="0" y="0" width=${plotWidth} height=${plotHeight}>
            ${spec.markers.map((m) => intervalArea(m, l))}
            ${spec.bands.map((b) => svg`<path class="band ${hue(b)}" d=${bandPath(b.points, l)}></path>`)}
            ${under.map((s) => curve(s, l))} ${over.map((s) => curve(s, l))}
          </svg>
          ${dots.map((s) => marks(s, l))}
          ${spec.markers.map((m) => markerLine(m, l))}
          ${this.#readout(spec, l)}
        </g>
      </svg>
    `;
  }

  #axes(spec: ChartSpec, l: Layout) {
    const { em, plotWidth, plotHeight } = l;
    const xTicks = ticksOf(spec.x, Math.floor(plotWidth / (3.6 * em)));
    const yTicks = ticksOf(spec.y, Math.floor(plotHeight / (2.4 * em)));
    const inX = (at: number) => Number.isFinite(l.x(at)) && l.x(at) >= -0.5 && l.x(at) <= plotWidth + 0.5;
    const inY = (at: number) => Number.isFinite(l.y(at)) && l.y(at) >= -0.5 && l.y(at) <= plotHeight + 0.5;
    return svg`
      ${yTicks.filter((t) => inY(t.at) && t.label).map(
        (t) => svg`<line class="rule" x1="0" x2=${plotWidth} y1=${l.y(t.at)} y2=${l.y(t.at)}></line>
          <text class="tick" text-anchor="end" x=${-0.5 * em} y=${l.y(t.at) + 0.35 * em}>${t.label}</text>`,
      )}
      ${xTicks.filter((t) => inX(t.at)).map(
        (t) => svg`<line class="axis" x1=${l.x(t.at)} x2=${l.x(t.at)} y1=${plotHeight} y2=${plotHeight + (t.label ? 6 : 3)}></line>
          ${t.label ? svg`<text class="tick" text-anchor="middle" x=${l.x(t.at)} y=${plotHeight + 1.45 * em}>${t.label}</text>` : nothing}`,
      )}
      <line class="axis" x1="0" x2=${plotWidth} y1=${plotHeight} y2=${plotHeight}></line>
      <text class="axis-label" text-anchor="middle" x=${plotWidth / 2} y=${plotHeight + 2.85 * em}>${spec.x.label}</text>
    `;
  }

  #legendItem(item: Placed, em: number) {
    const y = 1.1 * em + item.row * 1.55 * em;
    return svg`<g transform="translate(${item.x} ${y})">
      ${swatch(item.series, em)}
      <text class="legend" x=${SWATCH + 6} y="0">${item.series.name}</text>
    </g>`;
  }

  #readout(spec: ChartSpec, l: Layout) {
    const at = this.#reading && this.#pointOf(this.#reading);
    if (!at) return nothing;
    const { series, point } = at;
    const { em, plotWidth } = l;
    const [px, py] = [l.x(point.x), l.y(point.y)];
    const lines = [series.name, valueText(spec, point)];
    const width = Math.max(...lines.map((t) => textWidth(t, l.font))) + 1.4 * em;
    const height = 3.2 * em;
    const x = Math.max(-l.left + 2, Math.min(plotWidth - width + 0.8 * em, px + 14 + width > plotWidth ? px - width - 14 : px + 14));
    const y = py - height - 12 < -l.top + 2 ? py + 12 : py - height - 12;
    return svg`<g class="readout" data-ui>
      <line class="crosshair" x1=${px} x2=${px} y1="0" y2=${l.plotHeight}></line>
      <circle class="halo ${hue(series)}" cx=${px} cy=${py} r="6"></circle>
      <rect class="bubble" x=${x} y=${y} width=${width} height=${height} rx="4"></rect>
      <text class="reading strong" x=${x + 0.7 * em} y=${y + 1.3 * em}>${lines[0]}</text>
      <text class="reading" x=${x + 0.7 * em} y=${y + 2.65 * em}>${lines[1]}</text>
    </g>`;
  }

  #pointOf(reading: Reading): { series: Series; point: Point } | null {
    const series = this.spec?.series[reading.series];
    const point = series?.points[reading.point];
    return series && point ? { series, point } : null;
  }

  #read(reading: Reading | null, aloud: boolean): void {
    this.#reading = reading;
    const at = reading && this.#pointOf(reading);
    if (aloud && at && this.spec) this.#spoken = `${at.series.name}: ${valueText(this.spec, at.point)}`;
    this.requestUpdate();
  }

  #onKey(event: KeyboardEvent): void {
    if (!this.spec || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (this.#reading) event.stopPropagation();
      this.#clear();
      return;
    }
    const from = this.#reading ?? firstReading(this.spec);
    const to = from && moved(this.spec, from, event.key);
    if (!to) return;
    event.preventDefault();
    this.#read(this.#reading ? to : from, true);
  }

  #onFocus(): void {
    const frame = this.renderRoot.querySelector(".frame");
    if (this.spec && !this.#reading && frame?.matches(":focus-visible")) this.#read(firstReading(this.spec), false);
  }

  #onPointer(event: PointerEvent): void {
    const frame = event.currentTarget;
    if (!this.spec || !this.#size || !(frame instanceof Element)) return;
    const box = frame.getBoundingClientRect();
    const l = this.#layout(this.spec, this.#size);
    const reading = nearest(this.spec, l.x, l.y, event.clientX - box.left - l.left, event.clientY - box.top - l.top);
    if (reading?.series !== this.#reading?.series || reading?.point !== this.#reading?.point) this.#read(reading, false);
  }

  /** A finger that is lifted leaves its reading. */
  #onLeave(event: PointerEvent): void {
    if (event.pointerType !== "touch") this.#clear();
  }

  #clear(): void {
    if (this.#reading) this.#read(null, false);
  }

  static override styles = [unseen, css`
    :host {
      display: block;
      min-width: 0;
    }
    .frame {
      position: relative;
      box-sizing: border-box;
      width: 100%;
      height: var(--l2-chart-height, 21rem);
      font: 0.8125rem/1.3 var(--_font);
      color: var(--_ink);
      touch-action: pan-y;
      border-radius: 4px;
    }
    .frame:focus {
      outline: none;
    }
    .frame:focus-visible {
      outline: 3px solid var(--_accent);
      outline-offset: 4px;
    }
    svg {
      display: block;
      overflow: visible;
      user-select: none;
    }
    svg.plot {
      overflow: hidden;
    }
    text {
      fill: var(--_ink);
      font-size: 0.8125rem;
      font-variant-numeric: tabular-nums;
    }
    text.tick {
      fill: var(--_soft);
    }
    text.axis-label {
      fill: var(--_ink);
    }
    .rule {
      stroke: var(--_rule);
    }
    .axis {
      stroke: var(--_edge);
    }
    .ink {
      --_c: var(--_ink);
    }
    .c0 { --_c: var(--_s0); }
    .c1 { --_c: var(--_s1); }
    .c2 { --_c: var(--_s2); }
    .c3 { --_c: var(--_s3); }
    .c4 { --_c: var(--_s4); }
    .c5 { --_c: var(--_s5); }
    .c6 { --_c: var(--_s6); }
    .c7 { --_c: var(--_s7); }
    .line, .faint, .guide, .drop, .whisker, .ring, .arrow {
      fill: none;
      stroke: var(--_c);
    }
    .line {
      stroke-width: 2.5;
      stroke-linejoin: round;
    }
    .faint {
      stroke-width: 1;
      stroke-opacity: 0.3;
    }
    .guide {
      stroke-width: 1.5;
    }
    .drop {
      stroke-width: 1.25;
    }
    .whisker {
      stroke-width: 1.5;
    }
    .dot, .diamond, .bar {
      fill: var(--_c);
      stroke: var(--_paper);
      stroke-width: 1;
    }
    .ring, .arrow {
      stroke-width: 1.75;
    }
    .band {
      fill: var(--_c);
      fill-opacity: 0.14;
    }
    .value {
      paint-order: stroke;
      stroke: var(--_paper);
      stroke-width: 3;
      stroke-linejoin: round;
    }
    .crosshair {
      stroke: var(--_edge);
      stroke-dasharray: 2 3;
    }
    .halo {
      fill: var(--_paper);
      stroke: var(--_c);
      stroke-width: 3;
    }
    .bubble {
      fill: var(--_paper);
      stroke: var(--_edge);
    }
    .strong {
      font-weight: 600;
    }
    .message {
      position: absolute;
      inset: 32% 1rem auto 3.5rem;
      width: fit-content;
      max-width: 26rem;
      margin-inline: auto;
      padding: 0.5rem 0.75rem;
      text-align: center;
      font-size: 0.9375rem;
      line-height: 1.4;
      background: var(--_paper);
    }
    @media print {
      .frame {
        break-inside: avoid;
      }
      .readout {
        display: none;
      }
    }
  `];
}

/** What is read out of a point. */
function valueText(spec: ChartSpec, point: Point): string {
  const interval = point.low !== undefined && point.high !== undefined ? ` (${short(point.low)} – ${short(point.high)})` : "";
  const y = `${spec.y.short} ${short(point.y)}${interval}`;
  return spec.x.ticks ? y : `${spec.x.short} ${short(point.x)}, ${y}`;
}

if (!customElements.get("l2-chart")) customElements.define("l2-chart", L2Chart);
declare global {
  interface HTMLElementTagNameMap {
    "l2-chart": L2Chart;
  }
}
