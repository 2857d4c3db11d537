// How <l2-lab> looks: one column on a phone, settings beside the chart where there is room.
import { css } from "lit";

export const styles = css`
  /* A page around may reset everything; the figure stays whole. */
  :host {
    display: block !important;
    box-sizing: border-box !important;
    container-type: inline-size !important;
    position: relative !important;
    width: auto !important;
    min-width: 0 !important;
    max-width: none !important;
    overflow-wrap: break-word !important;
    color: var(--_ink) !important;
    font: 1rem/1.5 var(--_font) !important;
    letter-spacing: normal !important;
    text-align: start !important;
    text-transform: none !important;
    text-indent: 0 !important;
    white-space: normal !important;
    word-spacing: normal !important;
    visibility: visible !important;
    cursor: auto !important;
    padding: 0 !important;
    opacity: 1 !important;
    float: none !important;
  }
  :host([hidden]) {
    display: none !important;
  }
  * {
    box-sizing: border-box;
  }
  article {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.75rem 2rem;
    padding: 1rem;
    background: var(--_paper);
    border: 1px solid var(--_rule);
    border-radius: 10px;
    position: relative;
  }
  article.dropping {
    outline: 3px dashed var(--_accent);
    outline-offset: -6px;
  }
  h3 {
    margin: 0;
    font-size: 1.125rem;
    line-height: 1.3;
    font-weight: 600;
  }
  p {
    margin: 0;
  }
  code {
    font: 0.9em/1.4 ui-monospace, "SFMono-Regular", Consolas, "DejaVu Sans Mono", monospace;
    overflow-wrap: anywhere;
  }
  /* A command breaks between its words, not inside a flag. */
  code span {
    display: inline-block;
    max-width: 100%;
  }

  /* Buttons and switches */
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 0.625rem 1.5rem;
    align-items: center;
  }
  .transport {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem;
  }
  button,
  summary.button {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
    min-height: 2.25rem;
    padding: 0.25rem 0.75rem;
    border: 1px solid var(--_edge);
    border-radius: 6px;
    background: var(--_paper);
    color: var(--_ink);
    font: inherit;
    font-size: 0.9375rem;
    line-height: 1.2;
    cursor: pointer;
    list-style: none;
    white-space: nowrap;
  }
  button:hover,
  summary.button:hover {
    background: var(--_raised);
  }
  button.primary {
    border-color: var(--_accent);
    background: var(--_accent);
    color: var(--_on-accent);
    min-width: 6.25rem;
    justify-content: center;
  }
  button.primary:hover {
    filter: brightness(1.08);
  }
  button[aria-disabled="true"] {
    opacity: 0.5;
    cursor: default;
  }
  button.plain {
    border-color: transparent;
    padding-inline: 0.375rem;
    text-decoration: underline;
    text-underline-offset: 0.2em;
    background: none;
  }
  .icon path {
    fill: currentColor;
  }
  .switch {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.5rem;
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
    font-size: 0.9375rem;
  }
  .switch legend {
    float: inline-start;
    padding: 0;
    color: var(--_soft);
  }
  .options {
    display: inline-flex;
    flex-wrap: wrap;
    border: 1px solid var(--_edge);
    border-radius: 6px;
    overflow: clip;
  }
  .options label {
    position: relative;
    display: inline-flex;
    align-items: center;
    min-height: 2.125rem;
    padding: 0.125rem 0.625rem;
    cursor: pointer;
  }
  .options input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .options label:hover {
    background: var(--_raised);
  }
  .options label:has(input:checked) {
    background: var(--_accent);
    color: var(--_on-accent);
  }
  .options label:has(input:focus-visible) {
    outline: 3px solid var(--_accent);
    outline-offset: -3px;
    box-shadow: inset 0 0 0 5px var(--_paper);
  }
  :is(button, summary, input, select, textarea, a):focus-visible {
    outline: 3px solid var(--_accent);
    outline-offset: 2px;
  }

  /* Charts and what is said about them */
  .charts {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.25rem 1.5rem;
    min-width: 0;
  }
  .text {
    display: grid;
    gap: 0.5rem;
    align-content: start;
    min-width: 0;
  }
  .status {
    min-height: 7.5rem;
    font-size: 0.875rem;
    line-height: 1.45;
    color: var(--_soft);
  }
  .status.short {
    min-height: 3rem;
  }
  .status .origin {
    color: var(--_ink);
  }
  progress {
    display: block;
    width: 100%;
    height: 6px;
    margin-block: 0 0.4rem;
    border: 0;
    border-radius: 3px;
    overflow: hidden;
    background: var(--_rule);
    accent-color: var(--_accent);
    appearance: none;
  }
  progress::-webkit-progress-bar {
    background: var(--_rule);
  }
  progress::-webkit-progress-value {
    background: var(--_accent);
  }
  progress::-moz-progress-bar {
    background: var(--_accent);
  }
  progress.idle {
    visibility: hidden;
  }
  /* Room for what will be said, so that nothing moves when it is. */
  article {
    --_finding-narrow: 6em;
    --_finding-wide: 3em;
  }
  article:is(.clock, .law, .limits) {
    --_finding-narrow: 16.5em;
    --_finding-wide: 7.5em;
  }
  article.auto {
    --_finding-narrow: 15.5em;
    --_finding-wide: 7.5em;
  }
  article.auto l2-chart + l2-chart {
    --l2-chart-height: 17rem;
  }
  article.predict {
    --_finding-narrow: 13.5em;
    --_finding-wide: 6em;
  }
  .finding {
    min-height: var(--_finding-narrow);
    max-width: 46rem;
    font-weight: 500;
  }
  .caption {
    max-width: 46rem;
    font-size: 0.9375rem;
    color: var(--_soft);
  }
  .problem,
  .notice {
    padding: 0.5rem 0.75rem;
    border-inline-start: 4px solid var(--_accent);
    background: var(--_raised);
    color: var(--_ink);
    font-size: 0.9375rem;
  }
  .problem {
    border-color: var(--_bad);
  }

  .failed {
    display: grid;
    place-items: center;
    min-height: var(--l2-chart-height, 21rem);
    padding: 1rem;
    text-align: center;
    background: var(--_raised);
    border-radius: 6px;
  }

  /* Settings */
  .side {
    min-width: 0;
  }
  fieldset.settings {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  .settings > legend,
  details > summary.plain {
    padding: 0;
    font-weight: 600;
    font-size: 0.9375rem;
    margin-bottom: 0.5rem;
  }
  details > summary.plain {
    cursor: pointer;
    width: fit-content;
    margin-bottom: 0;
    min-height: 1.75rem;
  }
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 8.25rem), 1fr));
    gap: 0.75rem 1.25rem;
    align-items: start;
  }
  .field {
    display: grid;
    gap: 0.2rem;
    min-width: 0;
    font-size: 0.875rem;
    line-height: 1.35;
  }
  .field label {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0 0.5rem;
  }
  .field label.check {
    flex-wrap: nowrap;
    justify-content: start;
    align-items: center;
    min-height: 2rem;
  }
  .field output {
    margin-inline-start: auto;
    font-variant-numeric: tabular-nums;
    font-weight: 600;
  }
  fieldset.field {
    grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr));
    grid-column: 1 / -1;
    margin: 0;
    padding: 0;
    border: 0;
  }
  fieldset.field :is(legend, .help) {
    grid-column: 1 / -1;
    padding: 0;
  }
  .help {
    font-size: 0.75rem;
    line-height: 1.35;
    color: var(--_soft);
  }
  .field .problem {
    padding: 0.25rem 0.5rem;
    font-size: 0.8125rem;
  }
  select,
  textarea,
  input[type="text"],
  input[type="number"] {
    width: 100%;
    min-height: 2.25rem;
    padding: 0.25rem 0.5rem;
    border: 1px solid var(--_edge);
    border-radius: 6px;
    background: var(--_paper);
    color: var(--_ink);
    font: inherit;
  }
  input[aria-invalid="true"] {
    border-color: var(--_bad);
  }
  input[type="range"] {
    width: 100%;
    height: 1.5rem;
    margin: 0;
    accent-color: var(--_accent);
  }
  input[type="checkbox"] {
    flex: none;
    width: 1.5rem;
    height: 1.5rem;
    margin: 0;
    accent-color: var(--_accent);
  }
  input[type="file"] {
    width: 100%;
    min-height: 1.5rem;
    font: inherit;
    font-size: 0.8125rem;
    color: var(--_soft);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem;
    margin-top: 0.75rem;
  }

  /* Below everything */
  .foot {
    display: flex;
    flex-wrap: wrap;
    align-items: start;
    align-content: start;
    gap: 0.5rem 0.75rem;
  }
  .foot > details.more:not(.share) {
    flex: 1 1 100%;
  }
  details.more[open] > .fields {
    margin-top: 0.5rem;
  }
  .menu {
    position: relative;
  }
  summary.button::-webkit-details-marker {
    display: none;
  }
  .menu > div {
    position: absolute;
    inset-block-end: calc(100% + 4px);
    inset-inline-start: 0;
    z-index: 2;
    display: grid;
    min-width: 12rem;
    padding: 0.375rem;
    gap: 0.125rem;
    border: 1px solid var(--_edge);
    border-radius: 8px;
    background: var(--_paper);
    box-shadow: 0 6px 24px rgb(0 0 0 / 18%);
  }
  .menu > div button {
    border: 0;
  }
  .share[open] {
    flex: 1 1 100%;
  }
  .share .panel {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.625rem;
    margin-top: 0.5rem;
    padding: 0.75rem;
    border: 1px solid var(--_rule);
    border-radius: 8px;
    font-size: 0.875rem;
  }
  .share textarea {
    resize: vertical;
    font: 0.8125rem/1.45 ui-monospace, "SFMono-Regular", Consolas, "DejaVu Sans Mono", monospace;
    overflow-wrap: anywhere;
  }
  .share .actions {
    margin-top: 0;
  }
  .foot .share .field.wide {
    grid-column: auto;
  }
  .share .actions.wide {
    grid-column: 1 / -1;
  }
  @container (min-width: 24rem) {
    .foot .field.wide {
      grid-column: span 2;
    }
  }
  /* Charts read from left to right in every language. */
  l2-chart {
    direction: ltr;
  }
  @container (max-width: 20rem) {
    article {
      padding: 0.75rem;
    }
    .transport > button {
      padding-inline: 0.5rem;
    }
  }
  @container (min-width: 40rem) {
    article {
      --l2-chart-height: 23rem;
      padding: 1.25rem 1.5rem;
    }
    .status:not(.short) {
      min-height: 4.5rem;
    }
    .finding {
      min-height: var(--_finding-wide);
    }
    .charts.pair {
      grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr);
    }
    .charts.even {
      grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    }
  }
  @container (min-width: 56rem) {
    article.sided {
      grid-template-columns: minmax(0, 1fr) 15rem;
      grid-template-areas: "title title" "bar bar" "alert alert" "charts side" "text side" "foot side";
      grid-template-rows: auto auto auto auto auto 1fr;
      --l2-chart-height: 26rem;
    }
    article.sided > .side {
      grid-area: side;
    }
    article.sided > .charts {
      grid-area: charts;
    }
    article.sided > .text {
      grid-area: text;
    }
    article.sided > .title {
      grid-area: title;
    }
    article.sided > .bar {
      grid-area: bar;
    }
    article.sided > .alerts {
      grid-area: alert;
    }
    article.sided > .foot {
      grid-area: foot;
    }
    article.sided > .side .fields {
      grid-template-columns: minmax(0, 1fr);
      gap: 0.5rem;
    }
    article.sided .field {
      gap: 0.125rem;
    }
  }
  .alerts:empty {
    display: none;
  }
  .alerts {
    display: grid;
    gap: 0.5rem;
  }
  .alert-row {
    display: flex;
    gap: 0.5rem;
    align-items: start;
    justify-content: space-between;
  }

  @media (prefers-reduced-motion: no-preference) {
    button,
    .options label {
      transition: background-color 120ms;
    }
  }
  @media (forced-colors: active) {
    button.primary,
    .options label:has(input:checked) {
      forced-color-adjust: none;
      background: Highlight;
      color: HighlightText;
    }
  }
  @media print {
    .bar,
    .side,
    .foot,
    progress {
      display: none;
    }
    article,
    article.sided {
      display: block;
      border: 0;
      padding: 0;
      break-inside: avoid;
    }
    .status,
    .finding {
      min-height: 0;
    }
  }
`;
