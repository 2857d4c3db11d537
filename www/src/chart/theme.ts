// Colours and type that the element and its charts share; a host page overrides them by --l2-… properties.
import { css } from "lit";

const dark = css`
  --_paper: var(--l2-paper, #14171a);
  --_raised: var(--l2-raised, #1d2226);
  --_ink: var(--l2-ink, #e6e9ec);
  --_soft: var(--l2-soft, #9aa4ae);
  --_rule: var(--l2-rule, #343b42);
  --_edge: var(--l2-edge, #76818c);
  --_accent: var(--l2-accent, #7fb8ec);
  --_on-accent: var(--l2-on-accent, #10202e);
  --_bad: var(--l2-bad, #ff9a94);
  --_s0: var(--l2-s0, #fde725);
  --_s1: var(--l2-s1, #b5de2b);
  --_s2: var(--l2-s2, #6ece58);
  --_s3: var(--l2-s3, #35b779);
  --_s4: var(--l2-s4, #2bb0a8);
  --_s5: var(--l2-s5, #4aa3d8);
  --_s6: var(--l2-s6, #8b8fe8);
  --_s7: var(--l2-s7, #c58af0);
`;

/** Sets the private properties (--_…) that every other style sheet here reads. */
export const theme = css`
  :host {
    --_paper: var(--l2-paper, #fff);
    --_raised: var(--l2-raised, #f5f7f9);
    --_ink: var(--l2-ink, #1b1f24);
    --_soft: var(--l2-soft, #59636e);
    --_rule: var(--l2-rule, #d8dee4);
    --_edge: var(--l2-edge, #7d8894);
    --_accent: var(--l2-accent, #1f5f99);
    --_on-accent: var(--l2-on-accent, #fff);
    --_bad: var(--l2-bad, #a3262a);
    --_s0: var(--l2-s0, #d9a400);
    --_s1: var(--l2-s1, #b9b32b);
    --_s2: var(--l2-s2, #6fae4f);
    --_s3: var(--l2-s3, #2f9f7b);
    --_s4: var(--l2-s4, #21868c);
    --_s5: var(--l2-s5, #2e6b8e);
    --_s6: var(--l2-s6, #3d4d8a);
    --_s7: var(--l2-s7, #45186b);
    --_font: var(--l2-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  }
  @media screen and (prefers-color-scheme: dark) {
    :host(:not([theme="light"])) {
      color-scheme: dark;
      ${dark}
    }
  }
  @media screen {
    :host([theme="dark"]) {
      color-scheme: dark;
      ${dark}
    }
    :host([theme="light"]) {
      color-scheme: light;
    }
  }
  /* The reader's own colours: series are told apart by their dashes. */
  @media (forced-colors: active) {
    :host {
      --_paper: Canvas;
      --_raised: Canvas;
      --_ink: CanvasText;
      --_soft: CanvasText;
      --_rule: GrayText;
      --_edge: CanvasText;
      --_accent: LinkText;
      --_on-accent: Canvas;
      --_bad: CanvasText;
      --_s0: CanvasText;
      --_s1: CanvasText;
      --_s2: CanvasText;
      --_s3: CanvasText;
      --_s4: CanvasText;
      --_s5: CanvasText;
      --_s6: CanvasText;
      --_s7: CanvasText;
    }
  }
`;

/** For what only a screen reader has: `class="unseen"`. */
export const unseen = css`
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
