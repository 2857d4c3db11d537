// The buttons' symbols.
import { svg } from "lit";

const icon = (path: string) =>
  svg`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path d=${path}></path></svg>`;

export const icons = {
  play: icon("M4 2.5v11l9-5.5z"),
  pause: icon("M4 3h3v10H4zM9 3h3v10H9z"),
  step: icon("M3 3v10l7-5zM11 3h2v10h-2z"),
  rewind: icon("M13 3v10L6 8zM3 3h2v10H3z"),
  export: icon("M7 2h2v6h3l-4 4-4-4h3zM3 13h10v1.5H3z"),
  link: icon("M6.6 9.4a.9.9 0 0 1 0-1.3l1.5-1.5a.9.9 0 0 1 1.3 1.3L7.9 9.4a.9.9 0 0 1-1.3 0zM5.3 13.6a2.9 2.9 0 0 1-2.9-5l1.9-1.9 1.1 1.1-1.9 1.9a1.4 1.4 0 1 0 2 2l1.9-1.9 1.1 1.1-1.9 1.9a2.9 2.9 0 0 1-2.3.8zM10.6 9.3 9.5 8.2l1.9-1.9a1.4 1.4 0 1 0-2-2L7.5 6.2 6.4 5.1l1.9-1.9a2.9 2.9 0 1 1 4.1 4.1z"),
} as const;
