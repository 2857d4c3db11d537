// Numbers as readers see them: few digits, a real minus sign, powers of ten where plain digits would be long.

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const THIN = "\u202f";

/** 10 to a whole power, written with raised digits. */
export function powerOfTen(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((d) => RAISED[Number(d)] ?? "").join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** A number with at most `digits` significant digits; all digits of its whole part are kept. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "—";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size < 9.995e-4 || size >= 1e6) {
    const exponent = Math.floor(Math.log10(size) + 1e-9);
    const mantissa = Number((size / 10 ** exponent).toPrecision(Math.min(digits, 3)));
    const power = powerOfTen(exponent);
    return sign + (mantissa === 1 ? power : `${mantissa}·${power}`);
  }
  const rounded = size >= 10 ** digits ? Math.round(size) : Number(size.toPrecision(digits));
  const [whole = "0", rest] = String(rounded).split(".");
  return sign + group(whole) + (rest === undefined ? "" : `.${rest}`);
}

/** A number with exactly `digits` decimals. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "—";
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

/** A whole number with its thousands apart. */
export function whole(value: number): string {
  return (value < 0 ? "−" : "") + group(String(Math.round(Math.abs(value))));
}

/** The ends of an interval, if there is one. */
export function ends(interval: readonly [number, number] | null, text: (value: number) => string): readonly [string, string] | null {
  return interval && [text(interval[0]), text(interval[1])];
}

function group(digits: string): string {
  return digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, THIN);
}
