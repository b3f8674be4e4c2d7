/** The functions of this folder are bundled as their text: they run in pages, not in the Worker. */
declare module "*.js" {
  const source: string;
  export default source;
}
