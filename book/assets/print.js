// A page that is printed has all its figures: those that wait for the reader to come near
// (see bookext/light.py) are loaded as well, once the browser has nothing else to do.
{
  const load = () => {
    for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager"
  }
  const soon = globalThis.requestIdleCallback ?? setTimeout
  if (!navigator.connection?.saveData) addEventListener("load", () => soon(load))
  addEventListener("beforeprint", load)
}
