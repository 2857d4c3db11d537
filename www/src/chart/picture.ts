// A figure's charts as a picture to take away: an SVG file that needs no style sheet, or a PNG.

/** Properties that give a drawing its look. */
const LOOK = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "stroke-linejoin",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
] as const;

/** Space between charts and around them, in pixels. */
const GAP = 16;

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly paper: string;
  readonly placed: readonly { readonly drawing: SVGSVGElement; readonly width: number; readonly height: number; readonly y: number }[];
}

/** The drawings below each other on one sheet. */
function sheetOf(drawings: readonly SVGSVGElement[]): Sheet {
  let y = GAP;
  const placed = drawings.map((drawing) => {
    const { width, height } = drawing.viewBox.baseVal;
    const at = { drawing, width, height, y };
    y += height + GAP;
    return at;
  });
  const host = drawings[0] ? getComputedStyle(drawings[0]) : null;
  const paper = host?.getPropertyValue("--_paper").trim() || "#fff";
  return { width: Math.max(0, ...placed.map((p) => p.width)) + 2 * GAP, height: y, paper, placed };
}

/** The charts as one SVG file that needs no style sheet. */
export function svgFile(drawings: readonly SVGSVGElement[], title: string): string {
  const { width, height, paper, placed } = sheetOf(drawings);
  const ns = "http://www.w3.org/2000/svg";
  const root = document.createElementNS(ns, "svg");
  const set = (element: Element, attributes: Record<string, string | number>) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  };
  set(root, { xmlns: ns, width, height, viewBox: `0 0 ${width} ${height}` });
  const heading = document.createElementNS(ns, "title");
  heading.textContent = title;
  const back = document.createElementNS(ns, "rect");
  set(back, { width, height, fill: paper });
  root.append(heading, back);
  for (const { drawing, width: w, height: h, y } of placed) {
    const copy = inlined(drawing);
    set(copy, { x: GAP, y, width: w, height: h });
    root.append(copy);
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(root)}\n`;
}

/** A copy whose look is in attributes, without what only a pointer needs. */
function inlined(element: Element): Element {
  const copy = element.cloneNode(false) as Element;
  for (const name of ["class", "part", "aria-label", "data-ui"]) copy.removeAttribute(name);
  if (!(element instanceof SVGSVGElement) && !(element instanceof SVGGElement)) {
    const style = getComputedStyle(element);
    for (const name of LOOK) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" && value !== "normal") copy.setAttribute(name, value);
      else if (name === "fill") copy.setAttribute(name, "none");
    }
  }
  for (const child of element.childNodes) {
    if (child instanceof Element && !child.hasAttribute("data-ui")) copy.append(inlined(child));
    else if (child.nodeType === Node.TEXT_NODE && child.textContent?.trim()) copy.append(child.textContent);
  }
  return copy;
}

/** The charts as a PNG file, painted shape by shape: a strict page may not load an SVG image made of text. */
export async function pngFile(drawings: readonly SVGSVGElement[], scale = 2): Promise<Blob> {
  const { width, height, paper, placed } = sheetOf(drawings);
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.scale(scale, scale);
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  for (const { drawing, y } of placed) {
    context.save();
    context.translate(GAP, y);
    for (const child of drawing.children) paint(context, child);
    context.restore();
  }
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("no picture");
  return blob;
}

/** Paints the shapes that charts are made of. */
function paint(context: CanvasRenderingContext2D, element: Element): void {
  if (element.hasAttribute("data-ui")) return;
  const number = (name: string) => Number(element.getAttribute(name) ?? 0);
  if (element instanceof SVGSVGElement || element instanceof SVGGElement) {
    context.save();
    const move = /translate\(([-\d.]+)[ ,]+([-\d.]+)\)/.exec(element.getAttribute("transform") ?? "");
    if (move) context.translate(Number(move[1]), Number(move[2]));
    if (element instanceof SVGSVGElement) {
      context.beginPath();
      context.rect(number("x"), number("y"), number("width"), number("height"));
      context.clip();
    }
    for (const child of element.children) paint(context, child);
    context.restore();
    return;
  }
  const style = getComputedStyle(element);
  if (element instanceof SVGTextElement) {
    const text = element.textContent?.trim() ?? "";
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const anchor = element.getAttribute("text-anchor");
    context.textAlign = anchor === "middle" ? "center" : anchor === "end" ? "right" : "left";
    if (style.stroke !== "none") {
      strokeStyle(context, style);
      context.strokeText(text, number("x"), number("y"));
    }
    context.globalAlpha = 1;
    context.fillStyle = style.fill;
    context.fillText(text, number("x"), number("y"));
    return;
  }
  const path = pathOf(element, number);
  if (!path) return;
  if (style.fill !== "none") {
    context.globalAlpha = Number(style.fillOpacity);
    context.fillStyle = style.fill;
    context.fill(path);
  }
  if (style.stroke !== "none") {
    strokeStyle(context, style);
    context.stroke(path);
  }
  context.globalAlpha = 1;
}

function strokeStyle(context: CanvasRenderingContext2D, style: CSSStyleDeclaration): void {
  context.globalAlpha = Number(style.strokeOpacity);
  context.strokeStyle = style.stroke;
  context.lineWidth = Number.parseFloat(style.strokeWidth);
  context.lineJoin = "round";
  context.setLineDash((style.strokeDasharray.match(/[\d.]+/g) ?? []).map(Number));
}

function pathOf(element: Element, number: (name: string) => number): Path2D | null {
  const path = new Path2D();
  switch (element.localName) {
    case "path":
      return new Path2D(element.getAttribute("d") ?? "");
    case "line":
      path.moveTo(number("x1"), number("y1"));
      path.lineTo(number("x2"), number("y2"));
      return path;
    case "rect":
      path.rect(number("x"), number("y"), number("width"), number("height"));
      return path;
    case "circle":
      path.arc(number("cx"), number("cy"), number("r"), 0, 2 * Math.PI);
      return path;
    default:
      return null;
  }
}
