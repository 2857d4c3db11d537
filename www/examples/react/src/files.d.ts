// What imports that are not TypeScript are: lessons are components, style sheets are imported for their effect.
declare module "*.mdx" {
  import type { ComponentType } from "react";
  const Lesson: ComponentType;
  export default Lesson;
}

declare module "*.css";
