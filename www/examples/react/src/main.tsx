// Renders the lesson. The element is defined first, so that React sets its properties instead of attributes.
import "l2-lab";
import "l2-lab/l2-lab.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import Lesson from "./lesson.mdx";

createRoot(document.getElementById("lesson")!).render(
  <StrictMode>
    <Lesson />
  </StrictMode>,
);
