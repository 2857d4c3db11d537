/** A file beside the scripts, by its address; the build puts it there. */
declare module "*?url" {
  const url: string;
  export default url;
}

/** What a small file has in it. Vite would make a `data:` address of its own of it, which strict policies do not let a script read. */
declare module "*?bytes" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
