// What the npm package and other pages load: the element, defined.
export { L2Lab } from "./element/l2-lab.ts";
export type * from "./element/api.ts";
