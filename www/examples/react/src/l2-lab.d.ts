// <l2-lab> in JSX: its properties, and its events as `onl2-done={(event) => …}`.
import type { L2Events, L2LabApi, L2LabElement } from "l2-lab";
import type { DetailedHTMLProps, HTMLAttributes } from "react";

type Events = { [Name in keyof L2Events as `on${Name}`]?: (event: CustomEvent<L2Events[Name]>) => void };

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "l2-lab": DetailedHTMLProps<HTMLAttributes<L2LabElement>, L2LabElement> & Partial<L2LabApi> & Events;
    }
  }
}
