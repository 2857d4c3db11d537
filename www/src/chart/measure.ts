// How wide text is, so that labels get the room that they need.

const canvas = document.createElement("canvas").getContext("2d");
const known = new Map<string, number>();

/** Width of `text` in pixels in a CSS font such as "13px sans-serif". */
export function textWidth(text: string, font: string): number {
  const key = `${font}|${text}`;
  let width = known.get(key);
  if (width === undefined) {
    if (known.size > 2000) known.clear();
    // A sans-serif letter is a little over half as wide as it is high.
    width = canvas ? measured(canvas, text, font) : text.length * 0.56 * Number.parseFloat(font);
    known.set(key, width);
  }
  return width;
}

function measured(context: CanvasRenderingContext2D, text: string, font: string): number {
  context.font = font;
  return context.measureText(text).width;
}
