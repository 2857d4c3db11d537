/** A file beside the scripts, by its address; the build puts it there. */
declare module "*?url" {
  const url: string;
  export default url;
}
