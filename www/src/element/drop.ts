// Files that are dropped on an element.
import type { ReactiveController, ReactiveControllerHost } from "lit";

export class FileDrop implements ReactiveController {
  /** Whether files are held over the element. */
  over = false;

  /** `takes` says whether files are welcome now; `give` gets them. */
  constructor(
    private readonly host: ReactiveControllerHost & EventTarget,
    private readonly takes: () => boolean,
    private readonly give: (files: File[]) => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.host.addEventListener("dragover", this.#over);
    this.host.addEventListener("dragleave", this.#leave);
    this.host.addEventListener("drop", this.#drop);
  }

  hostDisconnected(): void {
    this.host.removeEventListener("dragover", this.#over);
    this.host.removeEventListener("dragleave", this.#leave);
    this.host.removeEventListener("drop", this.#drop);
  }

  readonly #over = (event: Event) => {
    if (!this.#files(event)) return;
    event.preventDefault();
    this.#show(true);
  };

  readonly #leave = () => this.#show(false);

  readonly #drop = (event: Event) => {
    const transfer = this.#files(event);
    if (!transfer) return;
    event.preventDefault();
    this.#show(false);
    this.give([...transfer.files]);
  };

  #files(event: Event): DataTransfer | null {
    const transfer = event instanceof DragEvent ? event.dataTransfer : null;
    return transfer?.types.includes("Files") && this.takes() ? transfer : null;
  }

  #show(over: boolean): void {
    if (this.over === over) return;
    this.over = over;
    this.host.requestUpdate();
  }
}
