// Makes every frame with a tracking page of the server that this script comes
// from as high as what is in it.
(() => {
  // A script that is a module is not told which element it stands in.
  const own =
    document.currentScript ?? document.querySelector('script[src*="/embed/order-tracker-frame.js"]');
  const server = new URL(own.src).origin;
  const frames = () =>
    [...document.querySelectorAll('iframe')].filter((frame) =>
      frame.src.startsWith(`${server}/embed/track/`),
    );
  const ask = (frame) => frame.contentWindow?.postMessage('waybill:height', server);

  addEventListener('message', ({ source, origin, data }) => {
    if (origin !== server || !Number.isFinite(data?.waybillHeight)) return;
    const frame = frames().find(({ contentWindow }) => contentWindow === source);
    if (frame) frame.style.height = `${data.waybillHeight}px`;
  });
  // Frames that load from now on are asked as they do, the others once all is there.
  document.addEventListener('load', ({ target }) => frames().includes(target) && ask(target), true);
  const askAll = () => frames().forEach(ask);
  if (document.readyState === 'complete') askAll();
  else addEventListener('load', askAll);
})();
