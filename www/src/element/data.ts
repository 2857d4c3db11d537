// The data sets that a reader has added: every figure on the page may use them.
import { lab } from "./workbench.ts";

/** The data set that is here from the start. */
export const EMBEDDED = "fashion-mnist-512";

/** Dispatches "change" when a data set is added. */
class AddedData extends EventTarget {
  readonly names: string[] = [];
  /** The one that was added last; it may have taken the place of another of its name. */
  latest = "";

  add(name: string): void {
    this.latest = name;
    if (!this.names.includes(name)) this.names.push(name);
    this.dispatchEvent(new Event("change"));
  }
}

export const addedData = new AddedData();

/** Reads data files; an error's message says in a sentence what is wrong with them. */
export async function addFiles(files: File[]): Promise<{ name: string; train: number; test: number }> {
  const { addData } = await lab();
  const added = await addData(files);
  addedData.add(added.name);
  return added;
}
